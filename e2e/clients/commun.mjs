// What the Node clients share: where to go, the token, the checks, waiting for an export.

const monde = JSON.parse(process.env.ROR_CLIENT ?? 'null');
if (!monde) {
  console.error('ROR_CLIENT is missing: it is set by e2e/tests/it/clients.rs');
  process.exit(2);
}

/** Base of the reads, credentials, the four headers, identifiers that exist. */
export const { base, token_url: urlJeton, client_id, client_secret, headers: entetes, exemples } = monde;

/** Longest wait for an export, milliseconds. */
const PATIENCE = 60_000;

const faits = [];

/** Runs one check, notes how it went, lets the others run. */
export async function verifier(nom, essai) {
  try {
    await essai();
    faits.push({ name: nom, ok: true });
  } catch (e) {
    faits.push({ name: nom, ok: false, detail: `${e.message ?? e} ${extrait(e.response?.data ?? e.body)}`.trim() });
  }
}

/** Prints what was checked; ends with an error when something failed. */
export function finir() {
  console.log(JSON.stringify({ checks: faits }));
  process.exit(faits.every((f) => f.ok) ? 0 : 1);
}

/** Fails with this sentence unless it holds. */
export function exiger(vrai, phrase) {
  if (!vrai) throw new Error(phrase);
}

function extrait(v) {
  const texte = typeof v === 'string' ? v : JSON.stringify(v ?? '');
  return texte.slice(0, 400);
}

/** A token by client credentials. */
export async function jeton(url) {
  const reponse = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }),
  });
  exiger(reponse.status === 200, `token: ${reponse.status}`);
  return (await reponse.json()).access_token;
}

/** Resources of a Bundle, by `Type/id`. */
export function parReference(bundle) {
  return new Map((bundle.entry ?? []).map((e) => [`${e.resource.resourceType}/${e.resource.id}`, e.resource]));
}

/** The published package of includes. */
export const PAQUET = [
  ['_include', 'HealthcareService:organization'],
  ['_include:iterate', 'Organization:partof'],
  ['_include', 'HealthcareService:location'],
  ['_revinclude', 'PractitionerRole:service'],
  ['_include', 'PractitionerRole:practitioner'],
];

/** Checks that what an offer, its roles and its structures refer to came with it. */
export function liens(bundle, id) {
  const tous = parReference(bundle);
  const offre = tous.get(`HealthcareService/${id}`);
  exiger(offre, `no offer ${id}`);
  const attendus = [offre.providedBy?.reference, ...(offre.location ?? []).map((l) => l.reference)];
  let roles = 0;
  for (const r of tous.values()) {
    if (r.resourceType === 'Organization') attendus.push(r.partOf?.reference);
    if (r.resourceType === 'PractitionerRole') {
      roles += 1;
      attendus.push(r.practitioner?.reference);
    }
  }
  const absents = attendus.filter((a) => a && !tous.has(a));
  exiger(absents.length === 0, `not included: ${absents}`);
  exiger(offre.providedBy && roles > 0, `an offer of a town practice without structure or role (${roles} roles)`);
}

/** The parameters of an export in NDJSON of two types. */
export const EXPORT = { _type: 'HealthcareService,Organization', _outputFormat: 'application/fhir+ndjson' };

/** Polls until the manifest is there; `demander(url)` gives { status, headers, body }. */
export async function attendreManifeste(url, demander) {
  exiger(url, 'no Content-Location');
  const fin = Date.now() + PATIENCE;
  while (Date.now() < fin) {
    const { status, headers, body } = await demander(url);
    if (status === 200) return body;
    exiger(status === 202, `poll: ${status}`);
    const attente = Number(headers.get('retry-after'));
    await new Promise((r) => setTimeout(r, Math.min(Number.isFinite(attente) && attente > 0 ? attente * 1000 : 200, 2000)));
  }
  throw new Error('the export did not end in time');
}

/** Checks a manifest and the files it names; `telecharger(url)` gives a fetch Response. */
export async function fichiers(manifeste, totaux, telecharger) {
  exiger(manifeste.transactionTime && Array.isArray(manifeste.output), 'a manifest without transactionTime or output');
  const lus = {};
  for (const f of manifeste.output) {
    const reponse = await telecharger(f.url);
    exiger(reponse.status === 200, `${f.url}: ${reponse.status}`);
    const genre = reponse.headers.get('content-type') ?? '';
    exiger(genre.includes('ndjson'), `a file of type ${genre}`);
    const lignes = (await reponse.text()).split('\n').filter((l) => l !== '').map((l) => JSON.parse(l));
    exiger(lignes.every((r) => r.resourceType === f.type), `another type in a file of ${f.type}`);
    exiger(f.count === undefined || f.count === lignes.length, `${f.count} told, ${lignes.length} sent`);
    for (const r of lignes) (lus[f.type] ??= new Set()).add(r.id);
  }
  for (const [type, total] of Object.entries(totaux)) {
    exiger(lus[type]?.size === total, `${type}: ${lus[type]?.size} exported, ${total} found by search`);
  }
}

/** Checks an OperationOutcome: a sentence that names the element and what would be accepted. */
export function outcome(corps, element) {
  exiger(corps?.resourceType === 'OperationOutcome', `not an OperationOutcome: ${extrait(corps)}`);
  const textes = corps.issue.map((i) => `${i.diagnostics} ${i.expression ?? ''}`).join(' ');
  exiger(textes.includes(element) && textes.includes('Attendu'), `diagnostics: ${textes}`);
}
