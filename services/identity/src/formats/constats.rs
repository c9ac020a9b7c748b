//! French sentences of the warnings and repairs.

/// French sentence of a warning or repair, by rule.
#[must_use]
pub fn message_constat(regle: &str) -> &'static str {
    match regle {
        "activite-en-double" => "Activité décrite deux fois de la même façon, lue une fois.",
        "adeli-cle-invalide" => "La clé d'un numéro ADELI est fausse ; le numéro est gardé.",
        "adresse-absente" => "Aucune adresse n'est fournie.",
        "adresse-principale-absente" => "Aucune adresse d'usage 03 ; la première adresse est gardée.",
        "adresse-principale-non-premiere" => {
            "L'adresse principale (usage 03) n'est pas la première ; elle est gardée."
        }
        "capacite-illisible" => "Le nombre d'une capacité n'est pas lisible ; la capacité est écartée.",
        "categorie-absente" => "La catégorie du site est absente.",
        "categorie-sans-libelle" => {
            "Une catégorie arrive sans son libellé : la source ne la connaît pas ; le code est gardé."
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
        "date-remise-en-forme" => "Une date JJ/MM/AAAA est remise en AAAA-MM-JJ.",
        "eg-active-sous-ej-inactive" => "Un site actif dépend d'une entité juridique inactive.",
        "etat-activite-inconnu" => "L'état d'une activité est inconnu ; il est laissé indéterminé.",
        "etat-et-date-fermeture-divergents" => {
            "L'état et la date de fermeture se contredisent ; l'état décide."
        }
        "fermeture-annoncee" => "Une fermeture est annoncée à une date future.",
        "fermeture-sans-date" => {
            "Un motif de fermeture est donné sans date ; la structure est tenue pour ouverte."
        }
        "fermeture-sans-evenement" => {
            "Structure inactive sans événement de fermeture ; fermeture définitive retenue."
        }
        "finess-cle-invalide" => "La clé d'un numéro FINESS est fausse ; le numéro est gardé.",
        "formation-absente" => "Ligne sans diplôme ni autorisation d'exercice.",
        "groupe-apres-structures" => {
            "Un groupe est décrit après les structures ; ses membres déjà lus ne le portent pas."
        }
        "groupe-ecarte" => "Trop de groupes dans le fichier ; ce groupe est écarté.",
        "identite-divergente" => {
            "Les lignes d'une même personne portent des identités différentes ; une seule est gardée."
        }
        "ligne-en-double" => "Ligne identique à une autre de la même personne, lue une fois.",
        "ligne-vide" => "Ligne vide, ignorée.",
        "nature-inconnue" => "La nature d'une activité est inconnue ; son détail n'est pas lu.",
        "nombre-illisible" => "Un nombre n'est pas lisible ; il est traité comme absent.",
        "personne-reprise" => "Une personne reparaît plus loin dans le fichier ; à fusionner.",
        "prenom-absent" => "Le prénom d'exercice est absent.",
        "profession-absente" => "Le code de la profession est absent.",
        "projection-inconnue" => {
            "La projection des coordonnées n'est pas de celles de FINESS ; elles sont écartées."
        }
        "savoir-faire-absent" => "Le code du savoir-faire est absent.",
        "scalaire-non-textuel" => "Une valeur n'est pas entre guillemets ; elle est lue en texte.",
        "siren-cle-invalide" => "La clé d'un numéro SIREN est fausse ; le numéro est gardé.",
        "siren-forme-invalide" => "Un numéro SIREN n'a pas la bonne forme ; il est gardé.",
        "siret-cle-invalide" => "La clé d'un numéro SIRET est fausse ; le numéro est gardé.",
        "siret-fictif" => "Un SIRET de remplissage (99999999999999) est traité comme absent.",
        "siret-forme-invalide" => "Un numéro SIRET n'a pas la bonne forme ; il est gardé.",
        "site-porteur-inconnu" => {
            "Le site porteur d'un site secondaire n'est pas dans la même entité juridique ; il n'est pas retenu."
        }
        "site-principal-absent" => "Le site principal d'un site secondaire n'est pas donné.",
        "structure-reprise" => "Une structure reparaît plus loin dans le fichier ; à fusionner.",
        "telephone-remis-en-forme" => "Un téléphone a des séparateurs ; ses chiffres seuls sont gardés.",
        "telephones-multiples" => "Deux téléphones dans un champ ; le premier est gardé.",
        "texte-rembourre" => "Des espaces entourent un texte ; elles sont retirées.",
        "type-fermeture-inconnu" => "Le motif de fermeture est inconnu ; définitive retenue.",
        "type-voie-rembourre" | "type-voie-rembourre-ej" => {
            "Des espaces entourent le type de voie ; elles sont retirées."
        }
        "entite-juridique-non-resolue" => {
            "L'entité juridique d'un site n'est pas dans l'envoi ; celle déjà connue reste."
        }
        "exercice-ambigu" => {
            "Un savoir-faire ou une activité ne dit pas sa profession, et la personne en a plusieurs."
        }
        "activites-inactives" => {
            "Activité terminée, sans professionnel nommé ; l'édition complète la retirera."
        }
        "organisations-hors-finess" => "Structure sans numéro FINESS, ignorée.",
        "ressources-ignorees" => "Ressource d'un autre type, ignorée.",
        _ => "Constat sans description.",
    }
}
