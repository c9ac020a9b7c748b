// fhirclient (SMART), as it comes from npm, on a server.

import smart from 'fhirclient';
import * as c from './commun.mjs';

const accessToken = await c.jeton(c.urlJeton);
// No browser session: an application without a user gives its state itself.
const client = smart({ headers: {} }, {}).client({ serverUrl: c.base, tokenResponse: { access_token: accessToken } });
const headers = { ...c.entetes };
const total = {};
const lire = (url, options = {}) => client.request({ url, headers: { ...headers, ...options } });

await c.verifier('fhir version', async () => {
  c.exiger((await client.getFhirRelease()) === 4, 'not R4');
});

await c.verifier('search, and pages to the end', async () => {
  for (const type of ['HealthcareService', 'Organization']) {
    const ids = new Set();
    let pages = 0;
    for await (const page of client.pages(`${type}?_count=100`, { headers })) {
      total[type] = page.total;
      for (const e of page.entry) ids.add(e.resource.id);
      pages += 1;
    }
    c.exiger(ids.size === total[type] && pages > 1, `${ids.size} of ${total[type]} in ${pages} pages`);
  }
});

await c.verifier('the published package of includes', async () => {
  const params = new URLSearchParams([['_id', c.exemples.offre_ville_id], ...c.PAQUET]);
  c.liens(await lire(`HealthcareService?${params}`), c.exemples.offre_ville_id);
});

await c.verifier('references resolved by the client', async () => {
  const references = await client.getReferences(
    await lire(`HealthcareService/${c.exemples.offre_id}`),
    ['providedBy', 'location'],
    { headers },
  );
  const types = Object.values(references).map((r) => r.resourceType);
  c.exiger(types.includes('Organization') && types.includes('Location'), `resolved: ${types}`);
});

await c.verifier('_filter', async () => {
  const valeur = `${c.exemples.activite_system}|${c.exemples.activite_code}`;
  const compter = async (nom, v) => (await lire(`HealthcareService?_count=0&${new URLSearchParams([[nom, v]])}`)).total;
  const simple = await compter('specialty', valeur);
  const filtre = await compter('_filter', `specialty eq ${valeur}`);
  c.exiger(simple > 0 && filtre === simple, `${simple} ${filtre}`);
});

await c.verifier('read', async () => {
  const offre = await lire(`HealthcareService/${c.exemples.offre_id}`);
  c.exiger(offre.id === c.exemples.offre_id, 'another id');
});

await c.verifier('export', async () => {
  const demander = async (url, autres) => {
    const r = await client.request({ url, headers: { ...headers, ...autres }, includeResponse: true });
    return { status: r.response.status, headers: r.response.headers, body: r.body };
  };
  const lance = await demander(`$export?${new URLSearchParams(c.EXPORT)}`, { Prefer: 'respond-async' });
  c.exiger(lance.status === 202, `status ${lance.status}`);
  const manifeste = await c.attendreManifeste(lance.headers.get('content-location'), demander);
  // What is neither JSON nor text comes as the response itself.
  await c.fichiers(manifeste, total, (url) => lire(url, { Accept: 'application/fhir+ndjson' }));
});

await c.verifier('errors are OperationOutcomes', async () => {
  const faute = (p) => p.then(() => c.exiger(false, 'no error'), (e) => e);
  const inconnu = await faute(lire('Location?couleur=bleu'));
  c.exiger(inconnu.status === 400, `status ${inconnu.status}`);
  const corps = await inconnu.response.json().catch(() => undefined);
  c.exiger(corps?.resourceType === 'OperationOutcome' || `${inconnu.message}`.includes('couleur'), inconnu.message);
});

c.finir();
