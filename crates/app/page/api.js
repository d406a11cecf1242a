// Talks to the server: one function for each thing it can do, one kind of error for all of them.

/** What the server refused, or that it could not be reached (`status` 0). */
export class Refused extends Error {
  constructor(status, { code = '', message = '', hint = '' } = {}, retryAfter = 1) {
    super(message || (status ? `the server answered ${status}` : 'the server does not answer'));
    Object.assign(this, { status, code, hint, retryAfter });
  }
}

async function call(path, options = {}) {
  const headers = { Accept: 'application/json', ...options.headers };
  if (options.method) headers['X-Finelens'] = '1';
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new Refused(0);
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  if (answer.status === 401) askForToken();
  throw new Refused(answer.status, body.error, Number(answer.headers.get('Retry-After')) || 1);
}

function askForToken() {
  if (location.pathname === '/login') return;
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** Asks again, a few times, while the server is busy; `onBusy` is told each time. */
export async function patiently(ask, { onBusy, signal, attempts = 6 } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (refusal) {
      if (refusal.status !== 429 || attempt === attempts || signal?.aborted) throw refusal;
      onBusy?.(attempt);
      await pause(refusal.retryAfter);
    }
  }
}

const json = (method, body) => ({
  method,
  body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/json' },
});

/** Fields of a form with files, from `[name, value]` pairs. */
export function form(fields) {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return data;
}

const picturePath = (id) => `/api/pictures/${encodeURIComponent(id)}`;

export const thumbnail = (id, size = 384) => `${picturePath(id)}/thumbnail?size=${size}`;
export const original = (id) => `${picturePath(id)}/original`;
export const uploaded = (hash) => `/api/uploads/${encodeURIComponent(hash)}`;

export const search = (parameters, signal) => call(`/api/search?${parameters}`, { signal });
export const facets = (parameters, signal) => call(`/api/facets?${parameters}`, { signal });
export const suggest = (q, signal) => call(`/api/suggest?limit=8&q=${encodeURIComponent(q)}`, { signal });
export const about = () => call('/api/about');
export const session = () => call('/api/session');
export const login = (token) => call('/api/login', json('POST', { token }));
export const logout = () => call('/api/logout', { method: 'POST' });
export const picture = (id, signal) => call(picturePath(id), { signal });
export const addPicture = (fields) => call('/api/pictures', { method: 'POST', body: form(fields) });
export const changePicture = (id, changes) => call(picturePath(id), json('PATCH', changes));
export const deletePicture = (id) => call(picturePath(id), { method: 'DELETE' });
export const find = (parameters, signal) => call(`/api/find?${parameters}`, { signal });

/** Keeps a picture to search with; answers its hash. */
export async function upload(file) {
  const { picture: hash } = await call('/api/uploads', { method: 'POST', body: form([['image', file]]) });
  return hash;
}
