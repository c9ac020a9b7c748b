//! Nature of an activity: each has its own block and its own keys.

use super::super::json::{Carnet, Vue};

const NATURE: &[&str] = &["codeNature", "caracteristiquesSpecifiques"];

const SPECIFIQUES: &[&str] = &[
    "aaAutreActSoinId",
    "aaEmlId",
    "aaSanitaireDiverseReguleeId",
    "aaSocialeReguleeId",
    "aaSoinAmfId",
    "aaSoinAmmId",
    "activiteAeId",
    "ageMaxAutorise",
    "ageMaxInstalle",
    "ageMinAutorise",
    "ageMinInstalle",
    "appareil",
    "dateLimDep",
    "dateLimVisiteConformite",
    "dateVisite",
    "etatArhgos",
    "marque",
    "numDecision",
    "numeroSerie",
    "resultatVisite",
    "typeActiviteAASA",
    "typeActiviteAER",
    "typeActiviteAMF",
    "typeActiviteAMM",
    "typeActiviteAMSR",
    "typeActiviteASDR",
    "typeActiviteASOCR",
    "typeActiviteEML",
];

/// Where a nature keeps what makes an activity; an empty key is none.
struct Bloc {
    nature: &'static str,
    cle: &'static str,
    activite: &'static str,
    modalite: &'static str,
    formes: &'static [&'static str],
    public: &'static str,
}

const BLOCS: &[Bloc] = &[
    Bloc {
        nature: "AMM",
        cle: "typeActiviteAMM",
        activite: "activiteAMM",
        modalite: "modaliteAMM",
        formes: &["mentionAMM", "ptsAMM", "declarationAMM"],
        public: "",
    },
    Bloc {
        nature: "AMF",
        cle: "typeActiviteAMF",
        activite: "activiteAMF",
        modalite: "modaliteActivite",
        formes: &["formeActivite"],
        public: "",
    },
    Bloc {
        nature: "AASA",
        cle: "typeActiviteAASA",
        activite: "activiteSanitaireRegulee",
        modalite: "modaliteActivite",
        formes: &["formeActivite"],
        public: "",
    },
    Bloc {
        nature: "EML",
        cle: "typeActiviteEML",
        activite: "typeEmlId",
        modalite: "",
        formes: &[],
        public: "",
    },
    Bloc {
        nature: "ASMR",
        cle: "typeActiviteAMSR",
        activite: "activiteSocialeRegulee",
        modalite: "modeFonctionnement",
        formes: &[],
        public: "public",
    },
    Bloc {
        nature: "ASOCR",
        cle: "typeActiviteASOCR",
        activite: "activiteSocialeRegulee",
        modalite: "modeFonctionnement",
        formes: &[],
        public: "public",
    },
    Bloc {
        nature: "ASDR",
        cle: "typeActiviteASDR",
        activite: "activiteSanitaireDiverseRegulee",
        modalite: "modeFonctionnement",
        formes: &[],
        public: "public",
    },
    Bloc {
        nature: "AER",
        cle: "typeActiviteAER",
        activite: "activiteEnseignementRegulee",
        modalite: "modeFonctionnement",
        formes: &[],
        public: "public",
    },
];

/// Keys of all the blocks.
const CLES: &[&str] = &[
    "activiteAMM",
    "modaliteAMM",
    "mentionAMM",
    "ptsAMM",
    "declarationAMM",
    "activiteAMF",
    "activiteSanitaireRegulee",
    "modaliteActivite",
    "formeActivite",
    "typeEmlId",
    "activiteSocialeRegulee",
    "activiteSanitaireDiverseRegulee",
    "activiteEnseignementRegulee",
    "modeFonctionnement",
    "public",
];

/// Codes that say there is no mention, no practice, no declaration.
const NEUTRES: &[&str] = &["ME000", "PTS00", "DE000"];

/// What an activity is.
#[derive(Debug, Default)]
pub(super) struct Nature {
    /// Nature.
    pub(super) code: String,
    /// Activity or discipline.
    pub(super) activite: String,
    /// Modality, or mode of functioning.
    pub(super) modalite: String,
    /// Form; for AMM, mention, practice and declaration, those that say
    /// something, a space between them: together they make the activity.
    pub(super) forme: String,
    /// Public or clientele.
    pub(super) public: String,
}

/// Reads the nature of an activity and its block.
pub(super) fn lire_nature(activite: &Vue<'_>, carnet: &mut Carnet) -> Nature {
    let vue = activite.sous("nature", NATURE, carnet);
    let specifiques = vue.sous("caracteristiquesSpecifiques", SPECIFIQUES, carnet);
    let code = vue.texte_vu("codeNature", carnet);
    // The published schema names this nature as its block does.
    let code = if code == "AMSR" { "ASMR".to_owned() } else { code.into_owned() };
    let Some(bloc) = BLOCS.iter().find(|bloc| bloc.nature == code) else {
        carnet.constater("nature-inconnue");
        return Nature { code, ..Nature::default() };
    };
    let lu = specifiques.sous(bloc.cle, CLES, carnet);
    let mut formes: Vec<_> = bloc.formes.iter().map(|cle| lu.texte_vu(cle, carnet)).collect();
    formes.retain(|forme| !forme.is_empty() && !NEUTRES.contains(&&**forme));
    Nature {
        code,
        activite: lu.texte(bloc.activite, carnet),
        modalite: lu.texte(bloc.modalite, carnet),
        forme: formes.join(" "),
        public: lu.texte(bloc.public, carnet),
    }
}
