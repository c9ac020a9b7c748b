"""What the Python clients share: where to go, the token, the checks, waiting for an export."""

import json
import os
import sys
import time

import requests

if "ROR_CLIENT" not in os.environ:
    sys.exit("ROR_CLIENT is missing: it is set by e2e/tests/it/clients.rs")

MONDE = json.loads(os.environ["ROR_CLIENT"])
BASE, ENTETES, EXEMPLES = MONDE["base"], MONDE["headers"], MONDE["exemples"]
ACTIVITE = f"{EXEMPLES['activite_system']}|{EXEMPLES['activite_code']}"
EXPORT = {"_type": "HealthcareService,Organization", "_outputFormat": "application/fhir+ndjson"}
# Longest wait for an export, seconds.
PATIENCE = 60

_faits = []


def verifier(nom):
    """Runs a check at once, notes how it went, lets the others run."""

    def lancer(essai):
        try:
            essai()
            _faits.append({"name": nom, "ok": True})
        except Exception as faute:  # noqa: BLE001
            _faits.append({"name": nom, "ok": False, "detail": f"{type(faute).__name__}: {faute}"[:600]})

    return lancer


def finir():
    """Prints what was checked; ends with an error when something failed."""
    print(json.dumps({"checks": _faits}, ensure_ascii=False))
    sys.exit(0 if all(f["ok"] for f in _faits) else 1)


def exiger(vrai, phrase):
    """Fails with this sentence unless it holds."""
    if not vrai:
        raise AssertionError(phrase)


def jeton():
    """A token by client credentials."""
    champs = {"grant_type": "client_credentials"}
    champs |= {nom: MONDE[nom] for nom in ("client_id", "client_secret")}
    reponse = requests.post(MONDE["token_url"], data=champs, timeout=20)
    exiger(reponse.status_code == 200, f"token: {reponse.status_code}")
    return reponse.json()["access_token"]


def attendre_manifeste(url, demander):
    """Polls until the manifest is there; `demander(url)` gives status, headers and body."""
    exiger(url, "no Content-Location")
    fin = time.monotonic() + PATIENCE
    while time.monotonic() < fin:
        statut, entetes, corps = demander(url)
        if statut == 200:
            return corps
        exiger(statut == 202, f"poll: {statut}")
        attente = entetes.get("Retry-After", "")
        time.sleep(min(float(attente) if attente.isdigit() else 0.2, 2.0))
    raise AssertionError("the export did not end in time")


def fichiers(manifeste, totaux, telecharger):
    """Checks a manifest and the files it names; `telecharger(url)` gives bytes."""
    exiger(manifeste.get("transactionTime"), "a manifest without transactionTime")
    lus = {}
    for fichier in manifeste["output"]:
        lignes = [json.loads(ligne) for ligne in telecharger(fichier["url"]).splitlines() if ligne]
        exiger(all(r["resourceType"] == fichier["type"] for r in lignes), f"not {fichier['type']} alone")
        exiger(fichier.get("count", len(lignes)) == len(lignes), "another count than the manifest tells")
        lus.setdefault(fichier["type"], set()).update(r["id"] for r in lignes)
    for genre, total in totaux.items():
        exiger(len(lus.get(genre, ())) == total, f"{genre}: {len(lus.get(genre, ()))} exported, {total} found")


def outcome(corps, element):
    """Checks an OperationOutcome: a sentence that names the element and what would be accepted."""
    exiger(corps["resourceType"] == "OperationOutcome", f"not an OperationOutcome: {corps}")
    textes = " ".join(f"{i['diagnostics']} {i.get('expression', '')}" for i in corps["issue"])
    exiger(element in textes and "Attendu" in textes, f"diagnostics: {textes}")
