// fhir-kit-client, as it comes from npm.

import { Client } from 'fhir-kit-client';
import * as c from './commun.mjs';

const bearerToken = await c.jeton(c.urlJeton);
const client = new Client({ baseUrl: c.base, customHeaders: c.entetes, bearerToken });
const total = {};

await c.verifier('capability statement', async () => {
  const enonce = await client.capabilityStatement();
  c.exiger(enonce.resourceType === 'CapabilityStatement' && enonce.fhirVersion === '4.0.1', 'fhirVersion');
});

await c.verifier('token address in the metadata', async () => {
  const url = `${(await client.smartAuthMetadata()).tokenUrl}`;
  c.exiger(url === c.urlJeton, `${url} instead of ${c.urlJeton}`);
  await c.jeton(url);
});

await c.verifier('search, by GET and by POST', async () => {
  const searchParams = { specialty: `${c.exemples.activite_system}|${c.exemples.activite_code}`, _count: 1 };
  const lue = await client.search({ resourceType: 'HealthcareService', searchParams });
  const postee = await client.search({ resourceType: 'HealthcareService', searchParams, options: { postSearch: true } });
  c.exiger(lue.total > 1 && lue.entry.length === 1, `total ${lue.total}`);
  c.exiger(postee.total === lue.total && postee.entry[0].fullUrl === lue.entry[0].fullUrl, 'two answers');
});

await c.verifier('pages to the end and back', async () => {
  for (const resourceType of ['HealthcareService', 'Organization']) {
    const ids = new Set();
    const premiers = [];
    let derniere;
    let page = await client.search({ resourceType, searchParams: { _count: 100 } });
    total[resourceType] = page.total;
    while (page) {
      for (const e of page.entry) ids.add(e.resource.id);
      premiers.push(page.entry[0].resource.id);
      c.exiger(premiers.length < 100, 'a walk without end');
      derniere = page;
      page = await client.nextPage({ bundle: page });
    }
    c.exiger(ids.size === total[resourceType] && premiers.length > 1, `${ids.size} of ${total[resourceType]}`);
    const retour = await client.prevPage({ bundle: derniere });
    c.exiger(retour?.entry[0].resource.id === premiers.at(-2), 'the page before the last is another one');
  }
});

await c.verifier('the published package of includes, resolved', async () => {
  const params = new URLSearchParams([['_id', c.exemples.offre_ville_id], ...c.PAQUET]);
  const bundle = await client.request(`HealthcareService?${params}`);
  c.liens(bundle, c.exemples.offre_ville_id);
  const offre = bundle.entry.find((e) => e.search.mode === 'match').resource;
  const structure = await client.resolve({ reference: offre.providedBy.reference, context: bundle });
  c.exiger(structure.resourceType === 'Organization', 'providedBy');
});

await c.verifier('_filter', async () => {
  const valeur = `${c.exemples.activite_system}|${c.exemples.activite_code}`;
  const chercher = (searchParams) => client.search({ resourceType: 'HealthcareService', searchParams });
  const simple = await chercher({ specialty: valeur, _count: 0 });
  const filtre = await chercher({ _filter: `(specialty eq ${valeur})`, _count: 0 });
  const deux = await chercher({ _filter: `(specialty eq ${valeur} or _id eq ${c.exemples.offre_ville_id})`, _count: 0 });
  c.exiger(filtre.total === simple.total && deux.total >= simple.total, `${simple.total} ${filtre.total} ${deux.total}`);
});

await c.verifier('read, and read again unchanged', async () => {
  const lue = await client.read({ resourceType: 'HealthcareService', id: c.exemples.offre_id });
  c.exiger(lue.id === c.exemples.offre_id, 'another id');
  const etag = Client.httpFor(lue).response.headers.get('etag');
  const requete = { resourceType: 'HealthcareService', id: c.exemples.offre_id, options: { headers: { 'If-None-Match': etag } } };
  const statut = await client.read(requete).then(() => 200, (e) => e.response.status);
  c.exiger(statut === 304, `status ${statut}`);
});

await c.verifier('export', async () => {
  const lance = await client.operation({
    name: 'export',
    method: 'GET',
    input: c.EXPORT,
    options: { headers: { Prefer: 'respond-async' } },
  });
  const { response } = Client.httpFor(lance);
  c.exiger(response.status === 202, `status ${response.status}`);
  const manifeste = await c.attendreManifeste(response.headers.get('content-location'), async (url) => {
    const body = await client.request(url);
    const { status, headers } = Client.httpFor(body).response;
    return { status, headers, body };
  });
  // The files are not JSON: this client has no call for them.
  const headers = { ...c.entetes, authorization: `Bearer ${bearerToken}` };
  await c.fichiers(manifeste, total, (url) => fetch(url, { headers }));
});

await c.verifier('errors are OperationOutcomes', async () => {
  const faute = (p) => p.then(() => c.exiger(false, 'no error'), (e) => e.response);
  const inconnu = await faute(client.search({ resourceType: 'Location', searchParams: { couleur: 'bleu' } }));
  c.exiger(inconnu.status === 400, `status ${inconnu.status}`);
  c.outcome(inconnu.data, 'couleur');
  const absente = await faute(client.read({ resourceType: 'Location', id: 'absente' }));
  c.exiger(absente.status === 404 && absente.data.resourceType === 'OperationOutcome', `status ${absente.status}`);
});

c.finir();
