//! Gathers every fault of a resource while it is checked, each naming its element,
//! its rule and what would be accepted.

use ror_chassis::erreur::faute;
use ror_proto::common::v1::{
    Adresse, Code, Contact, DivisionTerritoriale, Faute, Horaire, Meta, Position, Provenance, Quantite,
    Telecommunication,
};
use time::{Date, OffsetDateTime, macros::format_description};

use crate::{
    liaisons::{self, Liaison},
    references::Connues,
    vocabulaire::{Avis, Mode, Tables},
};

/// One control under way.
pub struct Controle<'a> {
    tables: &'a Tables,
    references: &'a Connues,
    date: String,
    mode: Mode,
    racine: &'static str,
    fautes: Vec<Faute>,
}

impl<'a> Controle<'a> {
    /// Begins the control of one resource; `racine` starts each element path.
    pub fn nouveau(tables: &'a Tables, references: &'a Connues, racine: &'static str) -> Self {
        Self { tables, references, date: aujourdhui(), mode: Mode::Saisie, racine, fautes: Vec::new() }
    }

    /// The faults found.
    pub fn finir(self) -> Result<(), Vec<Faute>> {
        if self.fautes.is_empty() { Ok(()) } else { Err(self.fautes) }
    }

    /// Adds a fault.
    pub fn refuser(
        &mut self,
        element: &str,
        regle: &str,
        message: impl Into<String>,
        attendu: impl Into<String>,
    ) {
        self.fautes.push(faute(&format!("{}.{element}", self.racine), regle, message, attendu));
    }

    /// Id, region and provenance: `[A-Za-z0-9.-]{1,64}`, a region of the list, the region written under.
    ///
    /// What a regional ROR sends is a migration: where a value set is lenient, its unknown codes pass.
    pub fn meta(&mut self, meta: Option<&Meta>, provenance: &Provenance) {
        if provenance.canal() == ror_proto::common::v1::Canal::Regional {
            self.mode = Mode::Migration;
        }
        let Some(m) = meta else {
            return self.refuser("meta", "obligatoire", "Les métadonnées manquent.", "id et région source");
        };
        let conforme = !m.id.is_empty()
            && m.id.len() <= 64
            && m.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        if !conforme {
            self.refuser(
                "id",
                "forme-id",
                format!("L'identifiant technique « {} » n'a pas la forme attendue.", m.id),
                "1 à 64 lettres, chiffres, tirets ou points",
            );
        }
        if !m.region.is_empty() || !provenance.region.is_empty() {
            let code = Code { systeme: liaisons::TRE_REGION.into(), code: m.region.clone() };
            self.code("meta.tag", liaisons::REGION, Some(&code), true);
        }
        if m.region != provenance.region && provenance.canal() != ror_proto::common::v1::Canal::Referentiel {
            self.refuser(
                "meta.tag",
                "region-differente",
                format!(
                    "La ressource est de la région « {} », l'écriture est faite pour la région « {} ».",
                    m.region, provenance.region
                ),
                "la même région",
            );
        }
    }

    /// A coded element.
    pub fn code(&mut self, element: &str, liaison: Liaison, code: Option<&Code>, requis: bool) {
        match code {
            Some(c) => {
                let avis = self.tables.verifier(liaison.canonique, liaison.nom, c, &self.date, self.mode);
                if let Avis::Refuse(m) = avis {
                    let attendu = self.tables.exemples(liaison, 12);
                    self.refuser(element, m.regle, m.message, attendu);
                }
            }
            None if requis => {
                let attendu = self.tables.exemples(liaison, 12);
                self.refuser(element, "obligatoire", format!("L'élément {element} manque."), attendu);
            }
            None => {}
        }
    }

    /// A repeated coded element, without repetition of one code.
    pub fn codes(&mut self, element: &str, liaison: Liaison, codes: &[Code]) {
        for (i, c) in codes.iter().enumerate() {
            self.code(element, liaison, Some(c), true);
            if codes[..i].contains(c) {
                self.refuser(
                    element,
                    "doublon",
                    format!("Le code « {} » est répété.", c.code),
                    "chaque code une fois",
                );
            }
        }
    }

    /// A text, at most `max` characters, without control characters.
    pub fn texte(&mut self, element: &str, texte: &str, max: usize, requis: bool) {
        if texte.trim().is_empty() {
            if requis {
                self.refuser(element, "obligatoire", format!("L'élément {element} manque."), "un texte");
            }
            return;
        }
        if texte.chars().count() > max {
            self.refuser(
                element,
                "longueur",
                format!("L'élément {element} dépasse {max} caractères."),
                format!("{max} caractères au plus"),
            );
        }
        if texte.chars().any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r') {
            self.refuser(
                element,
                "caractere",
                format!("L'élément {element} contient un caractère de contrôle."),
                "un texte lisible",
            );
        }
    }

    /// An ISO date, empty when absent; the date read.
    pub fn date(&mut self, element: &str, texte: &str) -> Option<Date> {
        if texte.is_empty() {
            return None;
        }
        let lue = lire_date(texte);
        if lue.is_none() {
            self.refuser(element, "date", format!("« {texte} » n'est pas une date."), "AAAA-MM-JJ");
        }
        lue
    }

    /// Closing after opening; reopening only with a provisional closure.
    pub fn fermeture(
        &mut self,
        ouverture: &str,
        fermeture: &str,
        type_fermeture: Option<&Code>,
        reouverture: &str,
        liaison: Liaison,
    ) {
        let o = self.date("dateOuverture", ouverture);
        let f = self.date("dateFermeture", fermeture);
        let r = self.date("datePrevisionnelleReouverture", reouverture);
        self.code("typeFermeture", liaison, type_fermeture, false);
        if let (Some(o), Some(f)) = (o, f)
            && f < o
        {
            self.refuser(
                "dateFermeture",
                "ordre-des-dates",
                "La fermeture précède l'ouverture.",
                "une date après l'ouverture",
            );
        }
        if r.is_some() && type_fermeture.is_none_or(|t| t.code == "DEF") {
            self.refuser(
                "datePrevisionnelleReouverture",
                "reouverture-sans-fermeture-provisoire",
                "Une réouverture n'est prévue qu'après une fermeture provisoire.",
                "typeFermeture PRO",
            );
        }
        if let (Some(f), Some(r)) = (f, r)
            && r < f
        {
            self.refuser(
                "datePrevisionnelleReouverture",
                "ordre-des-dates",
                "La réouverture précède la fermeture.",
                "une date après la fermeture",
            );
        }
    }

    /// A commune code; the form is checked, since the list of communes is dated.
    pub fn commune(&mut self, element: &str, code: &str, requis: bool) {
        let conforme = code.len() == 5
            && code
                .bytes()
                .enumerate()
                .all(|(i, b)| b.is_ascii_digit() || (i == 1 && (b == b'A' || b == b'B')));
        if !(conforme || (code.is_empty() && !requis)) {
            self.refuser(
                element,
                "commune",
                format!("« {code} » n'est pas un code de commune."),
                "5 caractères du code officiel géographique",
            );
        }
    }

    /// A postal address.
    pub fn adresse(&mut self, element: &str, a: Option<&Adresse>) {
        let Some(a) = a else { return };
        for (nom, t) in [
            ("pointRemise", &a.point_remise),
            ("complementPointGeographique", &a.complement_point_geographique),
            ("libelleVoie", &a.libelle_voie),
            ("lieuDit", &a.lieu_dit),
            ("mentionDistribution", &a.mention_distribution),
            ("localite", &a.localite),
        ] {
            self.texte(&format!("{element}.{nom}"), t, 255, false);
        }
        let lettre = |b: u8| b.is_ascii_alphanumeric() || b == b' ' || b == b'-';
        if a.code_postal.len() > 10 || !a.code_postal.bytes().all(lettre) {
            self.refuser(
                &format!("{element}.codePostal"),
                "code-postal",
                format!("« {} » n'est pas un code postal.", a.code_postal),
                "5 chiffres",
            );
        }
    }

    /// A WGS84 position.
    pub fn position(&mut self, element: &str, p: Option<&Position>) {
        let Some(p) = p else { return };
        if !(p.latitude.is_finite() && (-90.0..=90.0).contains(&p.latitude)) {
            self.refuser(
                &format!("{element}.latitude"),
                "bornes",
                format!("Latitude {} hors bornes.", p.latitude),
                "-90 à 90",
            );
        }
        if !(p.longitude.is_finite() && (-180.0..=180.0).contains(&p.longitude)) {
            self.refuser(
                &format!("{element}.longitude"),
                "bornes",
                format!("Longitude {} hors bornes.", p.longitude),
                "-180 à 180",
            );
        }
    }

    /// Telecommunications: channel, address and confidentiality are required.
    pub fn telecoms(&mut self, element: &str, telecoms: &[Telecommunication]) {
        for t in telecoms {
            self.code(&format!("{element}.canal"), liaisons::CANAL, t.canal.as_ref(), true);
            self.texte(&format!("{element}.adresseTelecom"), &t.adresse, 255, true);
            self.texte(&format!("{element}.utilisation"), &t.utilisation, 255, false);
            self.code(
                &format!("{element}.niveauConfidentialite"),
                liaisons::NIVEAU_CONFIDENTIALITE,
                t.niveau_confidentialite.as_ref(),
                true,
            );
        }
    }

    /// Contacts; in a sensitive unit every one is of level 3 (RG_EXP_039).
    pub fn contacts(&mut self, contacts: &[Contact], sensible: bool) {
        for c in contacts {
            self.texte("contact.nom", &c.nom, 255, false);
            self.texte("contact.description", &c.description, 2000, false);
            self.code("contact.fonctionContact", liaisons::FONCTION_CONTACT, c.fonction.as_ref(), false);
            self.code("contact.natureContact", liaisons::NATURE_CONTACT, c.nature.as_ref(), false);
            self.code(
                "contact.niveauConfidentialite",
                liaisons::NIVEAU_CONFIDENTIALITE,
                c.niveau_confidentialite.as_ref(),
                true,
            );
            self.telecoms("contact.telecommunication", &c.telecommunications);
            if sensible && c.niveau_confidentialite.as_ref().is_none_or(|n| n.code != "3") {
                self.refuser(
                    "contact.niveauConfidentialite",
                    "contact-unite-sensible",
                    "Le contact d'une unité sensible est très restreint.",
                    "le niveau 3",
                );
            }
        }
    }

    /// Opening slots.
    pub fn horaires(&mut self, horaires: &[Horaire]) {
        for h in horaires {
            self.code("horaire.typePlageHoraire", liaisons::TYPE_HORAIRE, h.r#type.as_ref(), false);
            if h.jour_semaine > 7 {
                self.refuser(
                    "horaire.jourSemaine",
                    "bornes",
                    format!("Jour {} inconnu.", h.jour_semaine),
                    "1 (lundi) à 7 (dimanche)",
                );
            }
            for (nom, heure) in [("heureDebut", &h.heure_debut), ("heureFin", &h.heure_fin)] {
                if !heure.is_empty() && !est_heure(heure) {
                    self.refuser(
                        &format!("horaire.{nom}"),
                        "heure",
                        format!("« {heure} » n'est pas une heure."),
                        "hh:mm:ss",
                    );
                }
            }
            let d = self.date("horaire.debutDateEffective", &h.debut_date_effective);
            let f = self.date("horaire.finDateEffective", &h.fin_date_effective);
            if let (Some(d), Some(f)) = (d, f)
                && f < d
            {
                self.refuser(
                    "horaire.finDateEffective",
                    "ordre-des-dates",
                    "La fin précède le début.",
                    "une date après le début",
                );
            }
        }
    }

    /// Territorial divisions, all of one type.
    pub fn divisions(
        &mut self,
        element: &str,
        divisions: &[DivisionTerritoriale],
        type_impose: &str,
        regle: &str,
    ) {
        for d in divisions {
            self.code(&format!("{element}.type"), liaisons::TYPE_DIVISION, d.r#type.as_ref(), true);
            if d.r#type.as_ref().is_some_and(|t| t.code != type_impose) {
                self.refuser(
                    &format!("{element}.type"),
                    regle,
                    "Ce type de division n'est pas admis ici.",
                    format!("le type {type_impose}"),
                );
            }
            if d.code.as_ref().is_none_or(|c| c.code.is_empty()) {
                self.refuser(
                    &format!("{element}.code"),
                    "obligatoire",
                    "Le code du territoire manque.",
                    "un code du système du type",
                );
            }
        }
    }

    /// An age bound, in a unit of time; its value in days for comparisons.
    pub fn age(&mut self, element: &str, q: Option<&Quantite>) -> Option<f64> {
        let Some(q) = q else {
            self.refuser(
                element,
                "obligatoire",
                "La borne d'âge manque.",
                "une valeur et une unité (a, mo, wk, d)",
            );
            return None;
        };
        self.code(&format!("{element}.unite"), liaisons::UNITE_TEMPS, q.unite.as_ref(), true);
        if !q.valeur.is_finite() || q.valeur < 0.0 {
            self.refuser(element, "bornes", format!("{} n'est pas un âge.", q.valeur), "un nombre positif");
            return None;
        }
        let jours = match q.unite.as_ref().map(|u| u.code.as_str()) {
            Some("mo") => 30.4375,
            Some("wk") => 7.0,
            Some("d") => 1.0,
            _ => 365.25,
        };
        Some(q.valeur * jours)
    }

    /// A reference to a resource of one of these kinds.
    pub fn reference(&mut self, element: &str, id: &str, genres: &[&str], requis: bool) {
        if id.is_empty() {
            if requis {
                self.refuser(
                    element,
                    "obligatoire",
                    format!("La référence {element} manque."),
                    genres.join(" ou "),
                );
            }
            return;
        }
        match self.references.get(id) {
            Some((genre, _)) if genres.contains(&genre.as_str()) => {}
            Some((genre, _)) => self.refuser(
                element,
                "reference-genre",
                format!("La référence {id} désigne une ressource de sorte {genre}."),
                genres.join(" ou "),
            ),
            None => self.refuser(
                element,
                "reference-inconnue",
                format!("La référence {id} ne désigne aucune ressource connue."),
                genres.join(" ou "),
            ),
        }
    }
}

/// Today in ISO form, UTC.
pub fn aujourdhui() -> String {
    OffsetDateTime::now_utc().date().format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

/// A full ISO date.
pub fn lire_date(texte: &str) -> Option<Date> {
    Date::parse(texte, format_description!("[year]-[month]-[day]")).ok()
}

fn est_heure(h: &str) -> bool {
    time::Time::parse(h, format_description!("[hour]:[minute]:[second]")).is_ok()
}
