// The search: what is asked stands in the address, what was found below it.
import { html, useEffect, useRef, useState } from '../vendor/preact-htm.js';
import * as api from '../api.js';
import { isTyping, toast } from '../dialogs.js';
import { Dropping } from '../dropping.js';
import { Header } from '../header.js';
import { Icon } from '../icons.js';
import { addressOf, asksForSomething, hasPicture, isEmpty, parseQuery, withTerm } from '../query.js';
import { go } from '../route.js';
import { Empty, Problem, Skeletons } from '../states.js';
import { plural } from '../wording.js';
import { Adding } from './adding.js';
import { Box } from './box.js';
import { Facets, useFacets } from './facets.js';
import { choicesOf, filterText } from './filter.js';
import { Modes } from './modes.js';
import { useResults } from './results.js';
import { Steer } from './steer.js';
import { Tiles } from './tiles.js';
import { Viewer } from './viewer.js';

/** A switch that the browser remembers. */
function useRemembered(name, initial) {
  const [value, setValue] = useState(() => JSON.parse(localStorage.getItem(name) ?? 'null') ?? initial);
  const change = (next) => {
    localStorage.setItem(name, JSON.stringify(next));
    setValue(next);
  };
  return [value, change];
}

const roomy = matchMedia('(min-width: 1100px)');

/** Filters are open from the start where there is room beside the pictures, and something was asked. */
function useFiltersOpen(home) {
  const [beside, setBeside] = useRemembered('filters', true);
  const [over, setOver] = useState(false);
  const remembered = roomy.matches && !home;
  const open = remembered ? beside : over;
  const set = remembered ? setBeside : setOver;
  useEffect(() => {
    const onKey = (event) => {
      if (event.key === 'f' && !isTyping(event)) set(!open);
      if (event.key === 'Escape' && !roomy.matches && open) set(false);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  return [open, set];
}

/** Short captions of what is there, as something to begin with. */
function examplesFrom(hits) {
  const captions = hits.flatMap((hit) => hit.captions.slice(0, 1)).map((caption) => caption.replace(/[\s.]+$/, ''));
  const short = [...new Set(captions)].filter((caption) => caption.length > 8 && caption.length < 44);
  return short.sort((one, other) => one.length - other.length).slice(0, 4);
}

function Hero({ server }) {
  const index = server.indexes[0];
  return html`<h1>${index ? `Search ${plural(index.pictures, 'picture')}` : 'Search your pictures'}</h1>
    <p>In your own words, by what is to be seen, or with a picture.</p>`;
}

function Examples({ hits }) {
  const examples = examplesFrom(hits);
  return html`${examples.length > 0 && html`<p class="examples"><span class="unseen">For example:</span>${examples.map(
      (example) => html`<a href=${`/?${new URLSearchParams({ q: example })}`}>${example}</a>`,
    )}</p>`}`;
}

function Counted({ found, query }) {
  if (found.busy) return html`<span class="busy">Busy, trying again …</span>`;
  if (found.status === 'loading' && !found.hits.length) return html`<span>Searching …</span>`;
  if (found.status === 'failed') return null;
  const { wait = 0, embed = 0, search = 0 } = found.took_ms ?? {};
  const time = wait + embed + search;
  const title = `waited ${wait.toFixed(1)} ms, understood the query in ${embed.toFixed(1)} ms, searched in ${search.toFixed(1)} ms`;
  if (isEmpty(query)) return html`<span>Newest first</span>`;
  const count = `${found.hits.length.toLocaleString()}${found.more ? '+' : ''} found`;
  return html`<span>${count}${found.took_ms ? html`<span class="took" title=${title}> · ${time < 10 ? time.toFixed(1) : Math.round(time)} ms</span>` : ''}</span>`;
}

function NothingFound({ query, onChange }) {
  const words = query.q.split(/\s+/).filter(Boolean);
  const loosen = [
    query.filter && ['Without the filters', { ...query, filter: '' }],
    query.min_score && ['Any relevance', { ...query, min_score: '' }],
    query.mode === 'lexical' && ['By meaning instead of words', { ...query, mode: 'vector' }],
    !query.fuzzy && query.q && query.mode !== 'vector' && ['Allow spelling mistakes', { ...query, fuzzy: true }],
    words.length > 2 && [`Only “${words.slice(0, 2).join(' ')}”`, { ...query, q: words.slice(0, 2).join(' ') }],
  ].filter(Boolean);
  return html`<${Empty} title="No picture fits all of this">
    <p>${query.q.includes('"') || /(^|\s)[+-]\S/.test(query.q)
      ? 'Quotes, +word and −word are strict: every picture must follow them.'
      : 'Fewer words find more. “Meaning” also finds what no caption says.'}</p>
    <div class="row wrap middle">${loosen.map(([name, next]) => html`<button onClick=${() => onChange(next)}>${name}</button>`)}
      <button onClick=${() => go('/')}>Start over</button></div>
  <//>`;
}

function NothingThere({ writable, onAdd }) {
  return html`<${Empty} title="This index is empty">
    ${writable
      ? html`<p>Drop pictures onto the page, or choose some.</p><button class="primary" onClick=${onAdd}>Add pictures</button>`
      : html`<p>Fill it with <code>finelens index DATA --into INDEX</code>.</p>`}
  <//>`;
}

function Notes({ found }) {
  const notes = [...(found.notes ?? []), ...(found.damaged?.length ? [`${plural(found.damaged.length, 'picture')} could not be read: finelens admin verify says more`] : [])];
  return notes.length ? html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>` : null;
}

/** Everything that the viewer can do to the query. */
function viewerActions({ id, query, found, wasOpened }) {
  const index = found.hits.findIndex((hit) => hit.id === id);
  const show = (hit) => hit && (() => go(addressOf(query, hit.id), { replace: true, state: history.state }));
  const next = index >= 0 ? show(found.hits[index + 1]) : undefined;
  return {
    previous: show(found.hits[index - 1]),
    next: next && (() => {
      if (index + 4 > found.hits.length) found.loadMore();
      next();
    }),
    similar: () => go(addressOf({ ...parseQuery(''), index: query.index, like: [id] })),
    add: () => go(addressOf(withTerm(query, 'add', `id:${id}`))),
    subtract: () => go(addressOf(withTerm(query, 'subtract', `id:${id}`))),
    filter(field, value) {
      const choices = choicesOf(query.filter) ?? new Map();
      go(addressOf({ ...query, filter: filterText(choices.set(field, typeof value === 'number' ? { min: value, max: value } : { values: [value] })) }));
    },
    close: () => (wasOpened ? history.back() : go(addressOf(query), { replace: true })),
  };
}

async function searchWith(files, query, change) {
  try {
    const hashes = await Promise.all(files.slice(0, 4).map((file) => api.upload(file)));
    change(hashes.reduce((next, hash) => withTerm(next, 'picture', hash), query));
  } catch (refusal) {
    toast(refusal.status === 0 ? 'The server does not answer.' : [refusal.message, refusal.hint].filter(Boolean).join('. '), 'failed');
  }
}

/** The share of meaning that the index has chosen, if it was fitted. */
function fittedShare(server, query, found) {
  const index = server.indexes.find((one) => one.name === (query.index || 'main'));
  if (index) return index.rule === 'convex' ? index.weight : null;
  return !query.weight && found.rule?.kind === 'convex' ? found.rule.weight : null;
}

function Toolbar({ query, found, view, server, onChange, onAdd }) {
  const asked = asksForSomething(query);
  const chosen = choicesOf(query.filter)?.size ?? 1;
  return html`<div class=${`toolbar${asked ? ' asked' : ''}`}>
    <button class="plain collapsing" aria-label="Filters" aria-expanded=${view.filters ? 'true' : 'false'} aria-controls="filters" onClick=${() => view.setFilters(!view.filters)}>
      <${Icon} name="filters" /><span>Filters</span>${query.filter ? html`<b class="badge">${chosen}</b>` : ''}</button>
    ${query.q && html`<${Modes} query=${query} fitted=${fittedShare(server, query, found)} onChange=${onChange} />`}
    ${asked && html`<${Steer} query=${query} onChange=${onChange} />`}
    <p class="counted" role="status"><${Counted} found=${found} query=${query} /></p>
    <button class="plain icon-only captions-button" aria-pressed=${view.captions ? 'true' : 'false'} aria-label="Captions below the pictures" title="Captions below the pictures"
      onClick=${() => view.setCaptions(!view.captions)}><${Icon} name="captions" /></button>
    ${server.writable && html`<button class="plain icon-only" onClick=${onAdd} aria-label="Add pictures" title="Add pictures"><${Icon} name="plus" /></button>`}
  </div>`;
}

function Found({ query, found, captions, writable, onChange, onAdd }) {
  if (found.status === 'failed' && !found.hits.length) return html`<${Problem} error=${found.error} onRetry=${found.retry} />`;
  if (found.status === 'loading' && !found.hits.length) return html`<${Skeletons} />`;
  if (!found.hits.length) {
    return isEmpty(query) ? html`<${NothingThere} writable=${writable} onAdd=${onAdd} />` : html`<${NothingFound} query=${query} onChange=${onChange} />`;
  }
  const failed = found.status === 'failed';
  return html`<${Notes} found=${found} />
    ${failed && html`<${Problem} error=${found.error} onRetry=${found.retry} />`}
    <${Tiles} hits=${found.hits} more=${found.more && !failed} label="Pictures found" ranked=${asksForSomething(query)} captions=${captions}
      dimmed=${found.stale} addressOf=${(hit) => addressOf(query, hit.id)} onEnd=${found.loadMore} />
    ${found.status === 'more' && html`<${Skeletons} count=${8} />`}`;
}

/** Remembers that a hit was opened from here, so that closing it is going back. */
function useOpened(open) {
  const opened = useRef(null);
  const first = useRef(true);
  if (open !== null && opened.current === null) opened.current = first.current ? 'by link' : 'here';
  if (open === null) opened.current = null;
  first.current = false;
  return opened.current === 'here';
}

export function Search({ search, server }) {
  const query = parseQuery(search);
  const open = new URLSearchParams(search).get('open');
  const found = useResults(query);
  const home = isEmpty(query);
  const [filters, setFilters] = useFiltersOpen(home);
  const [captions, setCaptions] = useRemembered('captions', false);
  const [adding, setAdding] = useState(null);
  const chooser = useRef(null);
  const wasOpened = useOpened(open);
  const facets = useFacets(query, filters && open === null);
  const address = addressOf(query);

  useEffect(() => {
    document.title = query.q ? `${query.q} – finelens` : 'finelens';
  }, [query.q]);
  const change = (next, replace = false) => {
    const nextAddress = addressOf(next);
    if (nextAddress === address) return;
    go(nextAddress, { replace });
    if (!replace) scrollTo(0, 0);
  };
  const onPictures = (files, zone) => {
    if (zone === 'add') setAdding(files);
    else searchWith(files, query, change);
  };
  const zones = [['search', 'search', 'Search with it'], ...(server.writable ? [['add', 'plus', 'Add to the collection']] : [])];
  const asked = { mode: query.mode || 'hybrid', rule: found.rule, more: found.more, pictures: hasPicture(query) && !query.q };
  const best = Math.max(0, ...found.hits.map((hit) => hit.scores?.fused ?? 0));

  return html`<${Header} path="/" server=${server} home=${home} hero=${home && html`<${Hero} server=${server} />`}>
      <${Box} query=${query} placeholder=${home ? 'What is in the picture?' : 'Search'} onChange=${change} onPictures=${onPictures} />
      ${home && html`<${Examples} hits=${found.hits} />`}
    <//>
    <main class=${`search${filters ? ' with-filters' : ''}`}>
      ${filters && html`<div class="backdrop" onClick=${() => setFilters(false)}></div>
        <${Facets} query=${query} facets=${facets} best=${best} onChange=${change} onClose=${() => setFilters(false)} />`}
      <div class="found">
        ${!home && html`<h1 class="unseen">Pictures found</h1>`}
        <${Toolbar} query=${query} found=${found} view=${{ filters, setFilters, captions, setCaptions }} server=${server}
          onChange=${change} onAdd=${() => chooser.current.click()} />
        <${Found} query=${query} found=${found} captions=${captions} writable=${server.writable} onChange=${change} onAdd=${() => chooser.current.click()} />
      </div>
    </main>
    <input ref=${chooser} type="file" accept="image/*" multiple hidden onChange=${(event) => {
      setAdding([...event.target.files]);
      event.target.value = '';
    }} />
    <${Dropping} zones=${zones} onPictures=${onPictures} />
    ${adding?.length && html`<${Adding} files=${adding} onClose=${() => setAdding(null)} onAdded=${found.reload} />`}
    ${open !== null && html`<${Viewer} id=${open} hits=${found.hits} asked=${asked} writable=${server.writable && query.index !== 'other'}
      actions=${viewerActions({ id: open, query, found, wasOpened })}
      onChanged=${(id, changed) => found.change(id, (hit) => [{ ...hit, ...changed, marks: [] }])}
      onDeleted=${(id) => {
        found.change(id, () => []);
        go(address, { replace: true });
      }} />`}`;
}
