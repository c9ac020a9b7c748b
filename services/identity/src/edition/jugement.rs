//! Whether an edition is applied, held for a person or rejected; then what is told of it.

use ror_chassis::{Resultat, magasin::Bloc};
use ror_proto::{
    common::v1::Faute,
    identity::v1::{LigneRefusee, StatutEdition},
};
use uuid::Uuid;

use super::{
    Acquis, Chargement,
    absences::Absences,
    anomalies::Anomalies,
    cloture::{Issue, illisible},
    successions::Successions,
};
use crate::{
    difference::plausibilite::{Collection, Seuils, juger},
    formats::{Resume, tous},
    store::editions::{Derniere, Etendue},
};

impl Chargement<'_> {
    /// Judges what was read, then the absences, which are only looked for in an edition
    /// that would be applied.
    pub(super) async fn juger(
        &self,
        bloc: &mut Bloc,
        acquis: &mut Acquis,
        derniere: Option<&Derniere>,
    ) -> Resultat<(StatutEdition, Vec<Faute>)> {
        let mut motifs = Vec::new();
        if let Some(e) = &acquis.erreur {
            let motif = illisible(e.to_string());
            let (ligne, fautes) = (e.ligne, vec![motif.clone()]);
            acquis.bilan.refus.ajouter(LigneRefusee { ligne, fautes, contenu: String::new() })?;
            if acquis.bilan.comptes.lus() == 0 {
                return Ok((StatutEdition::Rejetee, vec![motif]));
            }
            // Where nothing is known, what came before the break is better than nothing.
            motifs.extend(derniere.map(|_| motif));
        }
        if let Some(motif) = self.ancienne(&acquis.resume.cle, derniere) {
            return Ok((StatutEdition::Rejetee, vec![motif]));
        }
        self.mesurer(acquis, derniere).await?;
        let accepte = !self.en_tete.accepter.is_empty();
        motifs.extend(juger(&acquis.application.juge, &Seuils::default()));
        if (accepte || motifs.is_empty()) && derniere.is_some() && self.etendue(acquis) == Etendue::Entiere {
            self.noter_absences(bloc, acquis).await?;
            motifs = juger(&acquis.application.juge, &Seuils::default());
        }
        if accepte || motifs.is_empty() {
            return Ok((StatutEdition::Appliquee, Vec::new()));
        }
        Ok((StatutEdition::Retenue, motifs))
    }

    fn etendue(&self, acquis: &Acquis) -> Etendue {
        match acquis.erreur {
            Some(_) => Etendue::Tronquee,
            None if self.partielle => Etendue::Partie,
            None => Etendue::Entiere,
        }
    }

    async fn noter_absences(&self, bloc: &mut Bloc, acquis: &mut Acquis) -> Resultat<()> {
        if !tous::complet(self.format) {
            return Ok(());
        }
        let Acquis { application, bilan, resume, .. } = acquis;
        let mut absences = Absences::charger(bloc, self.format, &resume.cle).await?;
        absences.lever(bloc, &mut bilan.connus, application).await?;
        absences.noter(bloc, &bilan.connus, application).await
    }

    /// What the edition is judged on.
    async fn mesurer(&self, acquis: &mut Acquis, derniere: Option<&Derniere>) -> Resultat<()> {
        let mut connus = acquis.bilan.connus.nombre();
        if !tous::complet(self.format) {
            for genre in tous::genres(self.format) {
                connus += self.magasin.compter(genre).await?;
            }
        }
        let Acquis { application, bilan, resume, erreur } = acquis;
        let refus = bilan.refus.nombre() + application.refus.nombre();
        let juge = &mut application.juge;
        // A part is judged on what it changes, even where no whole edition came before.
        juge.premiere = derniere.is_none() && (connus == 0 || !self.partielle);
        juge.partielle = self.partielle;
        juge.connus = connus;
        juge.refus = refus;
        juge.lignes = resume.comptes.get("lignes").copied().unwrap_or(bilan.comptes.lus() + refus);
        // A file that broke says nothing of its size nor of its schema.
        if let (Some(derniere), None) = (derniere, erreur) {
            juge.taille = resume.comptes.get(tous::OCTETS).copied().unwrap_or(0);
            juge.taille_avant = derniere.taille;
            juge.schema.clone_from(&resume.schema);
            juge.schema_avant.clone_from(&derniere.schema);
            let collections = tous::collections(self.format).iter();
            juge.collections = collections.map(|nom| collection(nom, derniere, resume)).collect();
        }
        Ok(())
    }

    pub(super) fn conclure(
        &self,
        edition: Uuid,
        statut: StatutEdition,
        motifs: Vec<Faute>,
        acquis: Acquis,
    ) -> Resultat<(Issue, Vec<Anomalies>, Successions)> {
        let etendue = self.etendue(&acquis);
        let Acquis { application, bilan, resume, .. } = acquis;
        let mut comptes = application.comptes;
        comptes.absorber(bilan.comptes);
        let mut refus = bilan.refus;
        refus.absorber(application.refus)?;
        let mut successions = application.successions;
        successions.absorber(bilan.successions);
        let issue = Issue {
            edition,
            statut,
            motifs,
            resume,
            etendue,
            exclus: (self.en_tete.exclure.len(), bilan.exclus),
            insuffisants: application.insuffisants,
            comptes: comptes.rapporter(refus.nombre()),
            operations: comptes.operations(),
            changements: application.dits,
            refus,
        };
        Ok((issue, vec![bilan.anomalies, application.anomalies], successions))
    }
}

/// Size of a collection, before and after.
fn collection(nom: &str, derniere: &Derniere, resume: &Resume) -> Collection {
    let mut constats = derniere.rapport.constats.iter();
    Collection {
        nom: nom.to_owned(),
        avant: constats.find(|c| c.regle == nom && c.message.is_empty()).map_or(0, |c| c.nombre),
        apres: resume.comptes.get(nom).copied().unwrap_or(0),
    }
}
