"""fhirclient (SMART), as it comes from PyPI: its models refuse whatever is not FHIR R4."""

import requests
from fhirclient import client as smart
from fhirclient.models.healthcareservice import HealthcareService
from fhirclient.models.location import Location
from fhirclient.models.organization import Organization
from fhirclient.models.practitioner import Practitioner
from fhirclient.models.practitionerrole import PractitionerRole
from fhirclient.server import FHIRNotFoundException

import commun as c

serveur = smart.FHIRClient(settings={"app_id": c.MONDE["client_id"], "api_base": c.BASE}).server
serveur.session.headers.update({"Authorization": f"Bearer {c.jeton()}", **c.ENTETES})
vues = []
serveur.session.hooks["response"].append(lambda r, *_, **__: vues.append(r))
total = {}


@c.verifier("capability statement")
def _():
    serveur.prepare()
    enonce = serveur.capabilityStatement
    c.exiger(enonce.fhirVersion == "4.0.1", "not R4")
    types = {r.type for r in enonce.rest[0].resource}
    c.exiger({"SearchParameter", "HealthcareService"} <= types, f"types {types}")


@c.verifier("pages to the end, each resource of the model's form")
def _():
    for modele in (HealthcareService, Organization, Location, Practitioner, PractitionerRole):
        ids = set()
        for page in modele.where(struct={"_count": "100"}).perform_iter(serveur):
            total[modele.resource_type] = page.total
            ids.update(e.resource.id for e in page.entry or [])
        c.exiger(len(ids) == page.total, f"{modele.resource_type}: {len(ids)} of {page.total}")


@c.verifier("search parameters are of the model's form")
def _():
    from fhirclient.models.searchparameter import SearchParameter

    lus = list(SearchParameter.where(struct={"base": "Location"}).perform_resources_iter(serveur))
    c.exiger(len({p.code for p in lus}) > 30, f"{len(lus)} parameters of Location")
    un = next(p for p in lus if p.code == "nb-capacity")
    c.exiger(SearchParameter.read(un.id, serveur).expression == un.expression, "two definitions")


@c.verifier("includes")
def _():
    recherche = HealthcareService.where(struct={"_id": c.EXEMPLES["offre_ville_id"]})
    recherche = recherche.include("location").include("healthcareService", PractitionerRole, reverse=True)
    # This client names an include by its element, not by its parameter: service is written by hand.
    chemin = recherche.construct().replace("PractitionerRole:healthcareService", "PractitionerRole:service")
    from fhirclient.models.bundle import Bundle

    trouves = Bundle.read_from(chemin, serveur).entry
    genres = {e.resource.resource_type for e in trouves}
    c.exiger({"HealthcareService", "Location", "PractitionerRole"} <= genres, f"types {genres}")


@c.verifier("_filter")
def _():
    def compter(nom, valeur):
        return next(HealthcareService.where(struct={nom: valeur, "_count": "1"}).perform_iter(serveur)).total

    simple, filtre = compter("specialty", c.ACTIVITE), compter("_filter", f"specialty eq {c.ACTIVITE}")
    c.exiger(simple == filtre > 0, f"{simple} {filtre}")


@c.verifier("read")
def _():
    offre = HealthcareService.read(c.EXEMPLES["offre_id"], serveur)
    porteur = offre.providedBy.resolved(Organization)
    c.exiger(offre.id == c.EXEMPLES["offre_id"] and porteur is not None, "read and resolve")


@c.verifier("export")
def _():
    requete = requests.compat.urlencode(c.EXPORT)
    serveur.request_data(f"$export?{requete}", headers={"Prefer": "respond-async"})
    c.exiger(vues[-1].status_code == 202, f"status {vues[-1].status_code}")

    def demander(url):
        serveur.request_data(url)
        vue = vues[-1]
        return vue.status_code, vue.headers, vue.json() if vue.status_code == 200 else None

    manifeste = c.attendre_manifeste(vues[-1].headers.get("Content-Location"), demander)
    voulus = {genre: total[genre] for genre in ("HealthcareService", "Organization")}
    accepte = {"Accept": "application/fhir+ndjson"}
    c.fichiers(manifeste, voulus, lambda url: serveur.request_data(url, headers=accepte))


@c.verifier("errors are OperationOutcomes")
def _():
    try:
        next(Location.where(struct={"couleur": "bleu"}).perform_iter(serveur))
        raise AssertionError("no error")
    except requests.HTTPError as faute:
        c.outcome(faute.response.json(), "couleur")
    try:
        Location.read("absente", serveur)
        raise AssertionError("no error")
    except FHIRNotFoundException as faute:
        c.exiger(faute.response.json()["resourceType"] == "OperationOutcome", "not an OperationOutcome")


c.finir()
