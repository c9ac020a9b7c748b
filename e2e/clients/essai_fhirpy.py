"""fhirpy, as it comes from PyPI, in both its forms."""

import asyncio

import requests
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

import commun as c

PORTEUR = f"Bearer {c.jeton()}"
vues = []
client = SyncFHIRClient(
    c.BASE,
    authorization=PORTEUR,
    extra_headers=c.ENTETES,
    requests_config={"hooks": {"response": lambda r, *_, **__: vues.append(r)}, "timeout": 20},
)
total = {}


def paquet(client):
    """The published package of includes."""
    return (
        client.resources("HealthcareService")
        .search(_id=c.EXEMPLES["offre_ville_id"])
        .include("HealthcareService", "organization")
        .include("Organization", "partof", iterate=True)
        .include("HealthcareService", "location")
        .revinclude("PractitionerRole", "service")
        .include("PractitionerRole", "practitioner")
    )


@c.verifier("capability statement")
def _():
    c.exiger(client.execute("metadata", method="get")["fhirVersion"] == "4.0.1", "not R4")


@c.verifier("pages to the end")
def _():
    for genre in ("HealthcareService", "Organization"):
        debut = len(vues)
        ids = [r["id"] for r in client.resources(genre).limit(100)]
        total[genre] = vues[debut].json()["total"]
        c.exiger(len(ids) == len(set(ids)) == total[genre], f"{len(ids)} of {total[genre]}")


@c.verifier("pages to the end, asynchronously")
def _():
    async def lire():
        lecteur = AsyncFHIRClient(c.BASE, authorization=PORTEUR, extra_headers=c.ENTETES)
        return [r["id"] async for r in lecteur.resources("HealthcareService").limit(100)]

    ids = asyncio.run(lire())
    c.exiger(len(set(ids)) == total["HealthcareService"], f"{len(ids)}")


@c.verifier("a count, by a parameter of another server, in lenient handling")
def _():
    souple = SyncFHIRClient(c.BASE, authorization=PORTEUR, extra_headers={**c.ENTETES, "Prefer": "handling=lenient"})
    c.exiger(souple.resources("Organization").count() == total["Organization"], "another count")


@c.verifier("the published package of includes, resolved")
def _():
    bundle = paquet(client).fetch_raw()
    tous = {e["resource"].reference for e in bundle["entry"]}
    offre = next(e["resource"] for e in bundle["entry"] if e["search"]["mode"] == "match")
    roles = [e["resource"] for e in bundle["entry"] if e["resource"].resource_type == "PractitionerRole"]
    voulus = [offre["providedBy"].reference, *(r["practitioner"].reference for r in roles)]
    absents = [v for v in voulus if v not in tous]
    c.exiger(roles and not absents, f"{len(roles)} roles, not included: {absents}")
    c.exiger(offre["providedBy"].to_resource().resource_type == "Organization", "providedBy")


@c.verifier("_filter")
def _():
    offres = client.resources("HealthcareService")
    simple = offres.search(specialty=c.ACTIVITE).limit(0).fetch_raw()["total"]
    filtre = offres.search(_filter=f"specialty eq {c.ACTIVITE}").limit(0).fetch_raw()["total"]
    c.exiger(simple == filtre > 0, f"{simple} {filtre}")


@c.verifier("sorted, some elements only")
def _():
    trouvees = client.resources("Organization").search(name__contains="a").sort("name").elements("name").limit(20).fetch()
    c.exiger(trouvees and all("telecom" not in r for r in trouvees), "more than the elements asked")


@c.verifier("read, and refreshed")
def _():
    offre = client.resource("HealthcareService", **client.get("HealthcareService", c.EXEMPLES["offre_id"]))
    offre.refresh()
    c.exiger(offre.id == c.EXEMPLES["offre_id"], "another id")
    # This client sends the version without quotes.
    c.exiger(vues[-1].status_code == 304, f"status {vues[-1].status_code}")


@c.verifier("export")
def _():
    client.execute("$export", method="get", params=c.EXPORT)
    c.exiger(vues[-1].status_code == 202, f"status {vues[-1].status_code}")

    def demander(url):
        corps = client.execute(url, method="get")
        return vues[-1].status_code, vues[-1].headers, corps

    manifeste = c.attendre_manifeste(vues[-1].headers.get("Content-Location"), demander)
    # The files are not JSON: this client has no call for them.
    entetes = {"Authorization": PORTEUR, **c.ENTETES}
    c.fichiers(manifeste, total, lambda url: requests.get(url, headers=entetes, timeout=20).content)


@c.verifier("errors are OperationOutcomes")
def _():
    try:
        client.resources("Location").search(couleur="bleu").fetch()
        raise AssertionError("no error")
    except OperationOutcome as faute:
        c.outcome(faute.resource, "couleur")
    try:
        client.get("Location", "absente")
        raise AssertionError("no error")
    except ResourceNotFound as faute:
        c.exiger("OperationOutcome" in str(faute), str(faute))


c.finir()
