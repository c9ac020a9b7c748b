//! The index itself, and what is asked over it. Each type has its own fields, so that a search walks the words of its
//! type alone. Nothing is stored: a document is its terms, its row and the length of its narrative.

use std::{convert::Infallible, ops::RangeInclusive, path::Path};

use roaring::{MultiOps, RoaringBitmap};
use tantivy::{
    DocSet, Index, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, TantivyDocument, Term,
    postings::{Postings, TermInfo},
    schema::{Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer},
};

use super::{
    ChampTexte, Fiche,
    analyse::{Analyse, Occurrence, longueur},
    demande::{Demande, Exigence, Vu},
    disque::Dossier,
    mot::{Classe, Mot},
};
use crate::modele::{Bits, LOT, TypeFhir, par_lots};

const ANALYSEUR: &str = "ror";
const RANG: &str = "rang";
const LONGUEUR: &str = "longueur";

/// The fields of the index.
#[derive(Clone)]
pub(super) struct Champs {
    /// For each type: narrative, content, fine content.
    textes: [[Field; 3]; 5],
    /// Type and row, to delete by.
    cle: Field,
    rang: Field,
    longueur: Field,
}

impl Champs {
    /// The term that names a row.
    pub(super) fn cle(&self, t: TypeFhir, rang: u32) -> Term {
        Term::from_field_u64(self.cle, cle(t, rang))
    }

    /// The document of a row.
    pub(super) fn document(&self, fiche: &Fiche) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_u64(self.cle, cle(fiche.type_fhir, fiche.rang));
        document.add_u64(self.rang, u64::from(fiche.rang));
        document.add_u64(self.longueur, longueur(&fiche.narratif));
        for (champ, texte) in self.textes[fiche.type_fhir as usize].iter().zip(fiche.textes()) {
            if !texte.is_empty() {
                document.add_text(*champ, texte);
            }
        }
        document
    }
}

fn cle(t: TypeFhir, rang: u32) -> u64 {
    ((t as u64) << 32) | u64::from(rang)
}

/// The index that a folder holds, an empty one if it holds none; an empty one in memory without a folder.
pub(super) fn ouvrir(dossier: Option<&Path>) -> tantivy::Result<(Index, Champs)> {
    let mut schema = Schema::builder();
    let indexation = TextFieldIndexing::default()
        .set_tokenizer(ANALYSEUR)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let options = TextOptions::default().set_indexing_options(indexation);
    let textes = TypeFhir::TOUS.map(|t| {
        ["narratif", "contenu", "fin"].map(|texte| {
            let nom = format!("{}_{texte}", t.nom());
            schema.add_text_field(&nom, options.clone())
        })
    });
    let champs = Champs {
        textes,
        cle: schema.add_u64_field("cle", NumericOptions::default().set_indexed()),
        rang: schema.add_u64_field(RANG, NumericOptions::default().set_fast()),
        longueur: schema.add_u64_field(LONGUEUR, NumericOptions::default().set_fast()),
    };
    let neuf = Index::builder().schema(schema.build());
    let index = match dossier {
        Some(d) => neuf.open_or_create(Dossier::ouvrir(d)?)?,
        None => neuf.create_in_ram()?,
    };
    index.tokenizers().register(ANALYSEUR, TextAnalyzer::from(Decoupe::default()));
    Ok((index, champs))
}

/// The analysis, as the writer calls it.
#[derive(Clone, Default)]
struct Decoupe {
    analyse: Analyse,
    occurrences: Vec<Occurrence>,
    jeton: Token,
}

/// The terms of one text.
struct Flux<'a> {
    restantes: std::slice::Iter<'a, Occurrence>,
    jeton: &'a mut Token,
}

impl Tokenizer for Decoupe {
    type TokenStream<'a> = Flux<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Flux<'a> {
        self.occurrences = self.analyse.occurrences(text);
        self.jeton.reset();
        Flux { restantes: self.occurrences.iter(), jeton: &mut self.jeton }
    }
}

impl TokenStream for Flux<'_> {
    fn advance(&mut self) -> bool {
        let Some(o) = self.restantes.next() else { return false };
        self.jeton.position = o.position as usize;
        self.jeton.text.clear();
        self.jeton.text.push_str(&o.terme);
        true
    }

    fn token(&self) -> &Token {
        self.jeton
    }

    fn token_mut(&mut self) -> &mut Token {
        self.jeton
    }
}

/// Rows of a type that answer, each with its score.
pub(super) fn chercher(
    lecteur: &Searcher,
    champs: &Champs,
    t: TypeFhir,
    champ: ChampTexte,
    demande: &Demande,
) -> tantivy::Result<Vec<(u32, f32)>> {
    let textes = &champs.textes[t as usize][..champ.nombre()];
    let mut sortie = Vec::new();
    for segment in lecteur.segment_readers() {
        chercher_segment(segment, textes, demande, &mut sortie)?;
    }
    Ok(sortie)
}

/// Documents that answer a requirement, by class: in the narrative, and beside it.
#[derive(Default)]
struct Reponses {
    narratif: [RoaringBitmap; Classe::NOMBRE],
    reste: [RoaringBitmap; Classe::NOMBRE],
}

impl Reponses {
    fn champ(&mut self, numero: usize) -> &mut [RoaringBitmap; Classe::NOMBRE] {
        if numero == 0 { &mut self.narratif } else { &mut self.reste }
    }

    fn tous(&self) -> RoaringBitmap {
        MultiOps::<&RoaringBitmap>::union(self.narratif.iter().chain(&self.reste))
    }

    /// The best class of every document of an interval: those of a type lie together.
    fn meilleures(&self, docs: &RangeInclusive<u32>) -> Meilleures {
        let [narratif, reste] = [&self.narratif, &self.reste].map(|classes| meilleures(classes, docs));
        Meilleures { debut: *docs.start(), narratif, reste }
    }
}

/// The best class of each document by its number, from the first one; none for documents that do not answer.
struct Meilleures {
    debut: u32,
    narratif: Vec<Option<Classe>>,
    reste: Vec<Option<Classe>>,
}

impl Meilleures {
    fn vu(&self, doc: u32) -> Vu {
        let place = doc.wrapping_sub(self.debut) as usize;
        let de = |classes: &[Option<Classe>]| classes.get(place).copied().flatten();
        Vu { narratif: de(&self.narratif), reste: de(&self.reste) }
    }
}

fn meilleures(classes: &[RoaringBitmap; Classe::NOMBRE], docs: &RangeInclusive<u32>) -> Vec<Option<Classe>> {
    if classes.iter().all(RoaringBitmap::is_empty) {
        return Vec::new();
    }
    let mut v = vec![None; docs.clone().count()];
    // The best is written last.
    for classe in Classe::TOUTES.into_iter().rev() {
        let Ok(()) = par_lots::<Infallible>(&classes[classe as usize], |lot| {
            for doc in lot {
                if let Some(place) = v.get_mut(doc.wrapping_sub(*docs.start()) as usize) {
                    *place = Some(classe);
                }
            }
            Ok(())
        });
    }
    v
}

fn chercher_segment(
    segment: &SegmentReader,
    textes: &[Field],
    demande: &Demande,
    sortie: &mut Vec<(u32, f32)>,
) -> tantivy::Result<()> {
    let mut index = Vec::with_capacity(textes.len());
    for champ in textes {
        index.push(segment.inverted_index(*champ)?);
    }
    let mut reponses: Vec<Reponses> = demande.exigences.iter().map(|_| Reponses::default()).collect();
    let mut docs: Option<RoaringBitmap> = None;
    // Words first: phrases read positions, of the documents that remain only.
    for suites in [false, true] {
        for (exigence, reponse) in demande.exigences.iter().zip(&mut reponses) {
            match exigence {
                Exigence::Mot(mot) if !suites => {
                    for (n, i) in index.iter().enumerate() {
                        verser_mot(i, mot, reponse.champ(n))?;
                    }
                }
                Exigence::Suite(mots) if suites => {
                    for (n, i) in index.iter().enumerate() {
                        reponse.champ(n)[Classe::Exacte as usize] |= suite(i, mots, docs.as_ref())?;
                    }
                }
                _ => continue,
            }
            let tous = reponse.tous();
            let restants = docs.map_or_else(|| tous.clone(), |d| d & &tous);
            if restants.is_empty() {
                return Ok(());
            }
            docs = Some(restants);
        }
    }
    let mut docs = docs.unwrap_or_default();
    for mots in &demande.exclusions {
        for i in &index {
            let exclus = suite(i, mots, Some(&docs))?;
            docs -= exclus;
        }
    }
    let rangs = segment.fast_fields().u64(RANG)?;
    let longueurs = segment.fast_fields().u64(LONGUEUR)?;
    let (Some(premier), Some(dernier)) = (docs.min(), docs.max()) else { return Ok(()) };
    let meilleures: Vec<Meilleures> = reponses.iter().map(|r| r.meilleures(&(premier..=dernier))).collect();
    let mut vus = Vec::with_capacity(meilleures.len());
    let (mut rangs_lus, mut longueurs_lues) = ([None; LOT], [None; LOT]);
    let Ok(()) = par_lots::<Infallible>(&docs, |lot| {
        let (rangs_lus, longueurs_lues) = (&mut rangs_lus[..lot.len()], &mut longueurs_lues[..lot.len()]);
        rangs.first_vals(lot, rangs_lus);
        longueurs.first_vals(lot, longueurs_lues);
        for ((doc, rang), longueur) in lot.iter().zip(rangs_lus).zip(longueurs_lues) {
            let (rang, longueur) = (rang.take(), longueur.take());
            let Some(rang) = rang.and_then(|r| u32::try_from(r).ok()) else { continue };
            if segment.is_deleted(*doc) {
                continue;
            }
            vus.clear();
            vus.extend(meilleures.iter().map(|m| m.vu(*doc)));
            sortie.push((rang, demande.noter(&vus, longueur.unwrap_or(0))));
        }
        Ok(())
    });
    Ok(())
}

/// Adds the documents of every term that answers a word.
fn verser_mot(
    index: &InvertedIndexReader,
    mot: &Mot,
    classes: &mut [RoaringBitmap; Classe::NOMBRE],
) -> tantivy::Result<()> {
    for terme in mot.stricts() {
        if let Some(classe) = mot.strict(&terme)
            && let Some(info) = index.terms().get(terme.as_bytes())?
        {
            verser(index, &info, &mut classes[classe as usize])?;
        }
    }
    let Some(automate) = mot.automate() else { return Ok(()) };
    let mut flux = index.terms().search(automate).into_stream()?;
    while flux.advance() {
        let Ok(terme) = std::str::from_utf8(flux.key()) else { continue };
        // The strict terms are in already.
        if let Some(classe) = mot.classe(terme)
            && classe > Classe::Racine
        {
            verser(index, flux.value(), &mut classes[classe as usize])?;
        }
    }
    Ok(())
}

fn verser(index: &InvertedIndexReader, info: &TermInfo, docs: &mut RoaringBitmap) -> tantivy::Result<()> {
    let mut postes = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    let mut lus = Vec::with_capacity(info.doc_freq as usize);
    let mut doc = postes.doc();
    while doc != TERMINATED {
        lus.push(doc);
        doc = postes.advance();
    }
    *docs |= Bits::en_ordre(&lus);
    Ok(())
}

/// Documents that hold these words in a row, among some.
fn suite(
    index: &InvertedIndexReader,
    mots: &[Mot],
    parmi: Option<&RoaringBitmap>,
) -> tantivy::Result<RoaringBitmap> {
    // Document and place where the row would begin.
    let mut debuts: Option<Vec<(u32, u32)>> = None;
    let mut parmi = parmi.cloned();
    let mut positions = Vec::new();
    for (k, mot) in (0u32..).zip(mots) {
        let mut ici: Vec<(u32, u32)> = Vec::new();
        for terme in mot.stricts() {
            let Some(info) = index.terms().get(terme.as_bytes())? else { continue };
            let mut postes =
                index.read_postings_from_terminfo(&info, IndexRecordOption::WithFreqsAndPositions)?;
            let mut doc = postes.doc();
            while doc != TERMINATED {
                if parmi.as_ref().is_none_or(|p| p.contains(doc)) {
                    postes.positions(&mut positions);
                    ici.extend(positions.iter().filter_map(|p| Some((doc, p.checked_sub(k)?))));
                }
                doc = postes.advance();
            }
        }
        ici.sort_unstable();
        ici.dedup();
        if let Some(avant) = &debuts {
            ici.retain(|d| avant.binary_search(d).is_ok());
        }
        parmi = Some(ici.iter().map(|(doc, _)| *doc).collect());
        debuts = Some(ici);
    }
    Ok(parmi.filter(|_| debuts.is_some()).unwrap_or_default())
}
