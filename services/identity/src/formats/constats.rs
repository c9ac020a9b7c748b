//! French sentences of the warnings and repairs.

/// French sentence of a warning or repair, by rule.
#[must_use]
pub fn message_constat(regle: &str) -> &'static str {
    match regle {
        "adeli-cle-invalide" => "La clé d'un numéro ADELI est fausse ; le numéro est gardé.",
        "adresse-absente" => "Aucune adresse n'est fournie.",
        "adresse-principale-absente" => "Aucune adresse d'usage 03 ; la première adresse est gardée.",
        "adresse-principale-non-premiere" => {
            "L'adresse principale (usage 03) n'est pas la première ; elle est gardée."
        }
        "civilite-exercice-divergente" => {
            "Plusieurs civilités d'exercice pour une même profession ; une seule est gardée."
        }
        "cle-inconnue" => "Clé inconnue du format, ignorée.",
        "colonne-en-double" => "Colonne présente deux fois ; la première est lue.",
        "colonne-inconnue" => "Colonne inconnue du format, ignorée.",
        "commune-absente" => "La commune de l'adresse principale est absente.",
        "commune-sans-region" => "La commune n'a pas de région connue.",
        "coordonnees-absentes" => "Adresse de site sans coordonnées.",
        "coordonnees-absentes-ej" => "Adresse d'entité juridique sans coordonnées.",
        "coordonnees-hors-limites" | "coordonnees-hors-limites-ej" => {
            "Les coordonnées sont hors du territoire de la commune ; elles sont écartées."
        }
        "coordonnees-illisibles" | "coordonnees-illisibles-ej" => {
            "Les coordonnées ne sont pas des nombres ; elles sont écartées."
        }
        "coordonnees-permutees" | "coordonnees-permutees-ej" => {
            "Degrés et mètres sont permutés ; les coordonnées sont remises en ordre."
        }
        "date-inconnue" => "La date 1900-01-01 signifie inconnue ; elle est écartée.",
        "date-invalide" => "Une date n'a pas la forme AAAA-MM-JJ ; elle est écartée.",
        "eg-active-sous-ej-inactive" => "Un site actif dépend d'une entité juridique inactive.",
        "etat-et-date-fermeture-divergents" => {
            "L'état et la date de fermeture se contredisent ; l'état décide."
        }
        "fermeture-annoncee" => "Une fermeture est annoncée à une date future.",
        "fermeture-sans-evenement" => {
            "Structure inactive sans événement de fermeture ; fermeture définitive retenue."
        }
        "finess-cle-invalide" => "La clé d'un numéro FINESS est fausse ; le numéro est gardé.",
        "identite-divergente" => {
            "Les lignes d'une même personne portent des identités différentes ; une seule est gardée."
        }
        "ligne-en-double" => "Ligne identique à une autre de la même personne, lue une fois.",
        "ligne-vide" => "Ligne vide, ignorée.",
        "personne-reprise" => "Une personne reparaît plus loin dans le fichier ; à fusionner.",
        "prenom-absent" => "Le prénom d'exercice est absent.",
        "profession-absente" => "Le code de la profession est absent.",
        "scalaire-non-textuel" => "Une valeur n'est pas entre guillemets ; elle est lue en texte.",
        "siren-cle-invalide" => "La clé d'un numéro SIREN est fausse ; le numéro est gardé.",
        "siren-forme-invalide" => "Un numéro SIREN n'a pas la bonne forme ; il est gardé.",
        "siret-cle-invalide" => "La clé d'un numéro SIRET est fausse ; le numéro est gardé.",
        "siret-fictif" => "Un SIRET de remplissage (99999999999999) est traité comme absent.",
        "siret-forme-invalide" => "Un numéro SIRET n'a pas la bonne forme ; il est gardé.",
        "telephones-multiples" => "Deux téléphones dans un champ ; le premier est gardé.",
        "texte-rembourre" => "Des espaces entourent un texte ; elles sont retirées.",
        "type-fermeture-inconnu" => "Le motif de fermeture est inconnu ; définitive retenue.",
        "type-voie-rembourre" | "type-voie-rembourre-ej" => {
            "Des espaces entourent le type de voie ; elles sont retirées."
        }
        _ => "Constat sans description.",
    }
}
