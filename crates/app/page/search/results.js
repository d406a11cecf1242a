// What was found: asked for page by page, kept for going back, tried again while the server is busy.
import { useEffect, useRef, useState } from '../vendor/preact-htm.js';
import * as api from '../api.js';
import { parametersOf, parseQuery } from '../query.js';
import { learnShapes } from './shapes.js';

const PAGE = 48;
const KEPT = 20;
const kept = new Map();

function keep(key, found) {
  kept.delete(key);
  kept.set(key, found);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
}

/** Forgets everything, after pictures were added or changed. */
export const forgetResults = () => kept.clear();

/** What the address asked when the page was loaded; the server put the answer into the page. */
const firstKey = location.pathname === '/' ? parametersOf(parseQuery(location.search)).toString() : null;

/** That answer, once, so that the first pictures come without another request. */
function takeFirst(key) {
  const element = document.getElementById('first-results');
  if (!element || key !== firstKey) return null;
  element.remove();
  return JSON.parse(element.textContent);
}

const NOTHING = { key: null, hits: [], more: false, status: 'loading', error: null, busy: false };

function joined(before, page) {
  const known = new Set(before.map((hit) => hit.id));
  return [...before, ...page.hits.filter((hit) => !known.has(hit.id))];
}

/**
 * Results of a query: `{hits, more, status: 'loading'|'more'|'ready'|'failed', …}` and what to do with them.
 * While a new query is asked, the hits of the one before stay.
 */
export function useResults(query, { wanted = true, size = PAGE } = {}) {
  const key = parametersOf(query).toString();
  const [found, setFound] = useState(() => kept.get(key) ?? NOTHING);
  const running = useRef(null);

  const ask = async (before) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    const parameters = parametersOf(query);
    parameters.set('offset', before.length);
    parameters.set('limit', size);
    const update = (change) => !stop.signal.aborted && setFound(change);
    try {
      const first = before.length ? null : takeFirst(key);
      const onBusy = () => update((now) => ({ ...now, busy: true }));
      const page = first ?? (await api.patiently(() => api.search(parameters, stop.signal), { onBusy, signal: stop.signal }));
      await learnShapes(page.hits);
      if (stop.signal.aborted) return;
      const next = { ...page, key, hits: joined(before, page), status: 'ready', error: null, busy: false };
      keep(key, next);
      setFound(next);
    } catch (error) {
      if (error.name !== 'AbortError') update((now) => ({ ...now, key, status: 'failed', error, busy: false }));
    }
  };

  useEffect(() => {
    if (!wanted) return undefined;
    const known = kept.get(key);
    if (known) setFound(known);
    else {
      setFound((before) => ({ ...before, status: 'loading', error: null }));
      ask([]);
    }
    return () => running.current?.abort();
  }, [key, wanted]);

  return {
    ...found,
    stale: found.key !== key,
    loadMore() {
      if (found.status !== 'ready' || !found.more) return;
      setFound({ ...found, status: 'more' });
      ask(found.hits);
    },
    retry() {
      setFound({ ...found, status: found.hits.length ? 'more' : 'loading', error: null });
      ask(found.key === key ? found.hits : []);
    },
    reload() {
      forgetResults();
      ask([]);
    },
    change(id, update) {
      const hits = found.hits.flatMap((hit) => (hit.id === id ? update(hit) : [hit]));
      forgetResults();
      setFound({ ...found, hits });
    },
  };
}
