//! The oracle of the searches: queries it builds itself, answered by brute force over the JSON that
//! the same caller reads at the same moment, after `docs/recherche.md`. It shares no code with the
//! engine: a parameter, a prefix or a rule that one of the two gets wrong is a difference.
//!
//! **Drawn.** Every parameter in every form it takes: value, list, `:not`, `:missing`, `:in` (its
//! value sets, those of others), `:text`, `:contains`, `:exact`, `:above` on references and at the
//! end of chains, the type of a reference, each prefix; lists under modifiers too. Numbers with
//! their precision, as exponents, quantities in other units. Paths of references and `_has` in any
//! order, up to six links. `_filter`, once or twice: trees, every operator, comma lists, short
//! alternations under any operator, escapes, typed links, brackets over several links, in a row,
//! with a path or `:above` after them. Sorts, distances, includes with their wildcards and both
//! words of iteration, `_count` from 0, `_total`, `_summary`, `_elements`. Identifiers with wrong
//! keys, published systems that the data do not carry.
//!
//! **Meanwhile.** One query in eight is asked under writes: free beds move through the feed of
//! capacities; names, places of offers, rights, closures and positions through the import that
//! regions use, by which nothing can be retired. Walks that name no moment are compared with the one
//! they say they are of.
//!
//! **Not drawn.** What is refused (tests of the parser and fuzzing are about it), `_content`, `_text`
//! and `_score` (how full text forgives and ranks is no matter of brute force), `_format`, `ap` and
//! circles that hang on a hair, blanks at the ends of texts, includes past their bounds, `:above` on
//! a reference at the end of a chain, a bare identifier after the FINESS system in a list.

pub mod campagne;
pub mod coupe;
pub mod couverture;
pub mod critere;
pub mod dates;
pub mod demande;
pub mod descriptions;
pub mod ecrivain;
pub mod epreuve;
pub mod evaluation;
pub mod filtre;
pub mod generateur;
pub mod hasard;
pub mod inclusion;
pub mod index;
pub mod lecture;
pub mod nombres;
pub mod parametres;
pub mod proximite;
pub mod reduction;
pub mod reponse;
pub mod requete;
pub mod tri;
pub mod valeurs;

#[cfg(test)]
mod tests;

pub use campagne::Campagne;
pub use descriptions::Descriptions;
pub use ecrivain::Ecrivain;
