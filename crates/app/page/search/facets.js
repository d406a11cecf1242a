// The filters: what the pictures' metadata offers, with counts, and the least relevance.
import { html, useEffect, useState } from '../vendor/preact-htm.js';
import * as api from '../api.js';
import { CloseButton } from '../dialogs.js';
import { asksForSomething } from '../query.js';
import { short } from '../wording.js';
import { choicesOf, filterText } from './filter.js';

/** Shown of a field before “more” is asked for. */
const FIRST = 8;

const parameters = (query, filter) => {
  const asked = new URLSearchParams();
  if (query.q) asked.set('q', query.q);
  if (query.mode) asked.set('mode', query.mode);
  if (query.mode) asked.set('mode', query.mode);
  if (query.index) asked.set('index', query.index);
  if (filter) asked.set('filter', filter);
  return asked;
};

/** Fields with counts under all conditions, but for a chosen field without its own: so that a second value can be chosen. */
async function countFacets(query, choices, signal) {
  const ask = (filter) => api.facets(parameters(query, filter), signal);
  const others = [...(choices?.keys() ?? [])].map(async (field) => {
    const rest = new Map(choices);
    rest.delete(field);
    return (await ask(filterText(rest))).facets.find((facet) => facet.field === field);
  });
  const [all, ...own] = await Promise.all([ask(query.filter), ...others]);
  const known = new Map(own.filter(Boolean).map((facet) => [facet.field, facet]));
  const facets = all.facets.map((facet) => known.get(facet.field) ?? facet);
  for (const [field, facet] of known) if (!facets.some((other) => other.field === field)) facets.push(facet);
  return facets;
}

export function useFacets(query, wanted) {
  const [facets, setFacets] = useState([]);
  useEffect(() => {
    if (!wanted) return undefined;
    const stop = new AbortController();
    countFacets(query, choicesOf(query.filter), stop.signal).then(setFacets, () => {});
    return () => stop.abort();
  }, [query.q, query.mode, query.filter, query.index, wanted]);
  return facets;
}

function Value({ value, count, most, chosen, onToggle }) {
  return html`<label class="facet-value">
    <input type="checkbox" checked=${chosen} onChange=${onToggle} />
    <span class="name">${String(value)}</span>
    <span class="count">${count.toLocaleString()}</span>
    <i aria-hidden="true" style=${{ '--share': `${(100 * count) / most}%` }}></i>
  </label>`;
}

function Values({ facet, choice, onChoice }) {
  const [all, setAll] = useState(false);
  const chosen = choice?.values ?? [];
  const missing = chosen.filter((value) => !facet.values.some((one) => one.value === value));
  const values = [...facet.values, ...missing.map((value) => ({ value, count: 0 }))];
  const most = Math.max(1, ...values.map((one) => one.count));
  const toggle = (value) => {
    const next = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
    onChoice(next.length ? { values: next } : null);
  };
  const shown = all ? values : values.filter((one, index) => index < FIRST || chosen.includes(one.value));
  return html`${shown.map((one) => html`<${Value} key=${one.value} ...${one} most=${most} chosen=${chosen.includes(one.value)}
      onToggle=${() => toggle(one.value)} />`)}
    ${values.length > shown.length && html`<button class="plain small more" onClick=${() => setAll(true)}>
      ${values.length - shown.length} more</button>`}
    ${(all || values.length <= FIRST) && facet.more && html`<p class="quiet">and rarer ones: write a condition below</p>`}`;
}

function Bars({ facet }) {
  const counts = facet.bins;
  const most = Math.max(1, ...counts);
  return html`<div class="histogram" aria-hidden="true">
    ${counts.map((count) => html`<i style=${{ '--share': `${(100 * count) / most}%` }}></i>`)}
  </div>`;
}

function Range({ facet, choice, onChoice }) {
  const set = (end) => (event) => {
    const typed = event.target.value;
    const next = { ...choice, [end]: typed === '' ? undefined : Number(typed) };
    onChoice(next.min === undefined && next.max === undefined ? null : next);
  };
  const field = (end, label) => html`<label><span class="unseen">${facet.field}, ${label}</span>
    <input type="number" step="any" value=${choice?.[end] ?? ''} placeholder=${String(Number(facet[end].toPrecision(6)))} onChange=${set(end)} /></label>`;
  return html`${facet.bins.length > 0 && html`<${Bars} facet=${facet} />`}
    <div class="range">${field('min', 'at least')}<span aria-hidden="true">to</span>${field('max', 'at most')}</div>`;
}

function Group({ name, aside, children }) {
  return html`<div class="facet" role="group" aria-label=${name}>
    <div class="facet-head"><h3>${name}</h3>${aside}</div>
    ${children}
  </div>`;
}

function Facet({ facet, choice, onChoice }) {
  const clear = choice && html`<button class="plain small" onClick=${() => onChoice(null)}>Clear</button>`;
  return html`<${Group} name=${facet.field} aside=${clear}>
    ${facet.kind === 'number'
      ? html`<${Range} facet=${facet} choice=${choice} onChoice=${onChoice} />`
      : html`<${Values} facet=${facet} choice=${choice} onChoice=${onChoice} />`}
  <//>`;
}

/** `best` is the highest score found without this limit. */
function Relevance({ query, best, onChange }) {
  const least = Number(query.min_score) || 0;
  const most = Math.max(best, least) || 1;
  const set = (event) => onChange({ ...query, min_score: Number(event.target.value) > 0 ? event.target.value : '' }, true);
  return html`<${Group} name="Least relevance" aside=${html`<output>${least ? short(least) : 'any'}</output>`}>
    <input type="range" min="0" max=${most} step=${most / 100} value=${least} onChange=${set}
      style=${{ '--at': `${(100 * least) / most}%` }} aria-label="Least relevance" />
  <//>`;
}

const OPTIONS = [
  ['fold', 'One of nearly equal pictures'],
  ['fuzzy', 'Allow spelling mistakes'],
  ['fast', 'Faster, may miss a few'],
];

function Options({ query, onChange }) {
  return html`<${Group} name="Options">
    ${OPTIONS.map(([name, text]) => html`<label class="facet-value"><input type="checkbox" checked=${query[name]}
      onChange=${(event) => onChange({ ...query, [name]: event.target.checked })} /><span class="name">${text}</span></label>`)}
  <//>`;
}

function Condition({ query, onChange }) {
  const send = (event) => {
    event.preventDefault();
    onChange({ ...query, filter: new FormData(event.target).get('filter').trim() });
  };
  return html`<form class="facet condition" onSubmit=${send}>
    <label class="facet-head" for="condition"><h3>Condition</h3></label>
    <input id="condition" name="filter" value=${query.filter} placeholder='year >= 2010 and not class = port' spellcheck=${false} />
  </form>`;
}

/** `choices` is null where the condition says more than facets can. */
export function Facets({ query, facets, best, onChange, onClose }) {
  const choices = choicesOf(query.filter);
  const choose = (field) => (choice) => {
    const next = new Map(choices);
    if (choice) next.set(field, choice);
    else next.delete(field);
    onChange({ ...query, filter: filterText(next) });
  };
  return html`<aside class="facets" id="filters" aria-label="Filters">
    <div class="row between facets-head"><h2>Filters</h2><${CloseButton} onClose=${onClose} label="Close the filters" /></div>
    ${asksForSomething(query) && html`<${Relevance} query=${query} best=${best} onChange=${onChange} />`}
    ${choices
      ? facets.map((facet) => html`<${Facet} key=${facet.field} facet=${facet} choice=${choices.get(facet.field)} onChoice=${choose(facet.field)} />`)
      : html`<p class="quiet">The condition below says more than these filters can show.</p>`}
    ${!facets.length && choices && html`<p class="quiet">These pictures have no metadata to filter by.</p>`}
    ${asksForSomething(query) && html`<${Options} query=${query} onChange=${onChange} />`}
    <${Condition} query=${query} onChange=${onChange} />
    ${query.filter && html`<button class="wide" onClick=${() => onChange({ ...query, filter: '' })}>Clear all</button>`}
  </aside>`;
}
