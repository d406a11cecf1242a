// One query, two answers side by side: two indexes, or two modes; what appears in both is linked.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact-htm.js';
import { thumbnail } from './api.js';
import { Header } from './header.js';
import { Icon } from './icons.js';
import { addressOf, asksForSomething, parametersOf, parseQuery } from './query.js';
import { go } from './route.js';
import { Box } from './search/box.js';
import { MODES, nameOfMode } from './search/modes.js';
import { useResults } from './search/results.js';
import { Empty, Problem, Skeletons } from './states.js';
import { bestCaption, marked, nameOf, percent } from './wording.js';

/** How many are compared: as many as one takes in. */
const COMPARED = 24;

/** `main:vector` as an index and a mode. */
function sideOf(text, fallback) {
  const [index, mode] = (text ?? fallback).split(':');
  return { index: index === 'other' ? 'other' : 'main', mode: MODES.some(([value]) => value === mode) ? mode : 'hybrid' };
}

const textOf = (side) => `${side.index}:${side.mode}`;

/** With two indexes the models are compared by meaning, the one before on the left; with one, words and meaning. */
function sidesOf(search, server) {
  const parameters = new URLSearchParams(search);
  const [left, right] = server.indexes.length > 1 ? ['other:vector', 'main:vector'] : ['main:lexical', 'main:vector'];
  return [sideOf(parameters.get('left'), left), sideOf(parameters.get('right'), right)];
}

function compareAddress(query, [left, right]) {
  const parameters = parametersOf({ ...query, mode: '', index: '' });
  parameters.set('left', textOf(left));
  parameters.set('right', textOf(right));
  return `/compare?${parameters}`;
}

function Rank({ here, there }) {
  if (there === undefined) return html`<span class="change only">only here</span>`;
  const moved = there - here;
  if (moved === 0) return html`<span class="change same" aria-label="the same place on both sides">=</span>`;
  const [sign, kind, spoken] = moved > 0 ? ['▲', 'up', 'higher'] : ['▼', 'down', 'lower'];
  const label = `${Math.abs(moved)} ${spoken} than on the other side`;
  return html`<span class=${`change ${kind}`} title=${label} aria-label=${label}>${sign}${Math.abs(moved)}</span>`;
}

function Card({ hit, rank, there, href, linked, onPoint }) {
  const caption = bestCaption(hit);
  return html`<li data-id=${hit.id} class=${linked ? 'linked' : ''}>
    <a href=${href} onMouseEnter=${() => onPoint(hit.id)} onMouseLeave=${() => onPoint(null)} onFocus=${() => onPoint(hit.id)} onBlur=${() => onPoint(null)}>
      <img src=${thumbnail(hit.id)} alt=${nameOf(hit)} />
      <span class="rank">${rank}</span><${Rank} here=${rank} there=${there} />
    </a>
    <p class="caption">${marked(caption.text, caption.marks)}</p>
  </li>`;
}

const ranksOf = (hits) => new Map(hits.map((hit, index) => [hit.id, index + 1]));

function Side({ side, other, found, server, pointed, onPoint, onSide, addressOfHit }) {
  const indexes = server.indexes.length > 1 ? server.indexes : [];
  const there = ranksOf(other.hits);
  return html`<section class="compare-side">
    <div class="row side-head">
      ${indexes.length > 0 && html`<label><span class="unseen">Index</span><select value=${side.index} onChange=${(event) => onSide({ ...side, index: event.target.value })}>
        ${indexes.map((index) => html`<option value=${index.name}>${labelOf(index)}</option>`)}</select></label>`}
      <label><span class="unseen">Mode</span><select value=${side.mode} onChange=${(event) => onSide({ ...side, mode: event.target.value })}>
        ${MODES.map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></label>
    </div>
    ${found.status === 'failed' && html`<${Problem} error=${found.error} onRetry=${found.retry} />`}
    ${found.status === 'loading' && !found.hits.length && html`<${Skeletons} count=${9} />`}
    ${found.status === 'ready' && !found.hits.length && html`<p class="quiet">Nothing found on this side.</p>`}
    <ol class=${`cards${found.stale ? ' dimmed' : ''}`}>
      ${found.hits.map((hit, index) => html`<${Card} key=${hit.id} hit=${hit} rank=${index + 1} there=${there.get(hit.id)} href=${addressOfHit(hit, side)}
        linked=${pointed === hit.id} onPoint=${onPoint} />`)}
    </ol>
  </section>`;
}

/** An index as one names it: its folder, and its model. */
const labelOf = (index) => [index.path_name ?? index.name, index.model?.name].filter(Boolean).join(' · ');

/** A curve between the two places of one picture. */
function Thread({ pointed, area }) {
  const [path, setPath] = useState('');
  useLayoutEffect(() => {
    const ends = pointed === null ? [] : [...area.current.querySelectorAll('li[data-id]')].filter((card) => card.dataset.id === pointed);
    if (ends.length !== 2) return setPath('');
    const origin = area.current.getBoundingClientRect();
    const [from, to] = ends.map((end) => end.querySelector('img').getBoundingClientRect());
    const [x1, y1] = [from.right - origin.left, from.top + from.height / 2 - origin.top];
    const [x2, y2] = [to.left - origin.left, to.top + to.height / 2 - origin.top];
    const middle = (x1 + x2) / 2;
    return setPath(`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`);
  }, [pointed]);
  return html`<svg class="thread" aria-hidden="true"><path d=${path} /></svg>`;
}

function Summary({ left, right }) {
  const there = ranksOf(right.hits);
  const both = left.hits.filter((hit) => there.has(hit.id)).length;
  const most = Math.max(left.hits.length, right.hits.length);
  if (!most || left.stale || right.stale) return null;
  return html`<p class="counted" role="status">${both} of ${most} on both sides (${percent(both / most)})</p>`;
}

export function Compare({ search, server }) {
  const query = { ...parseQuery(search), mode: '', index: '' };
  const sides = sidesOf(search, server);
  const asked = asksForSomething(query);
  const wanted = asked && server.known;
  const [left, right] = sides.map((side) => useResults({ ...query, ...side, weight: '' }, { wanted, size: COMPARED }));
  const [pointed, setPointed] = useState(null);
  const area = useRef(null);
  useEffect(() => {
    document.title = 'Compare – finelens';
  }, []);
  const change = (next) => go(compareAddress(next, sides));
  const onSide = (which) => (side) => go(compareAddress(query, which ? [sides[0], side] : [side, sides[1]]), { replace: true });
  const swap = () => go(compareAddress(query, [sides[1], sides[0]]), { replace: true });
  const addressOfHit = (hit, side) => addressOf({ ...query, mode: side.mode === 'hybrid' ? '' : side.mode, index: side.index === 'main' ? '' : side.index }, hit.id);
  const shared = { server, pointed, onPoint: setPointed, addressOfHit };

  return html`<${Header} path="/compare" server=${server}>
      <${Box} query=${query} placeholder="What should both sides search for?" onChange=${change} />
    <//>
    <main class="compare">
      ${!asked && html`<${Empty} title="One question, two answers">
        <p>${server.indexes.length > 1
          ? 'Type a query: both indexes answer it side by side, and you see what the other model does differently.'
          : 'Type a query: two ways of searching answer it side by side. To compare two models, start finelens serve with --compare OTHER_INDEX.'}</p>
      <//>`}
      ${asked && html`<div class="row compare-head"><${Summary} left=${left} right=${right} />
          <button class="plain" onClick=${swap}><${Icon} name="compare" />Swap sides</button></div>
        <div class="compare-sides" ref=${area}>
          <${Side} side=${sides[0]} found=${left} other=${right} onSide=${onSide(0)} ...${shared} />
          <${Side} side=${sides[1]} found=${right} other=${left} onSide=${onSide(1)} ...${shared} />
          <${Thread} pointed=${pointed} area=${area} />
        </div>`}
    </main>`;
}
