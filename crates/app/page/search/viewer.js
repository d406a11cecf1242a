// A hit, opened: the picture large, and beside it everything that is known of it.
import { html, useEffect, useRef, useState } from '../vendor/preact-htm.js';
import * as api from '../api.js';
import { CloseButton, Dialog } from '../dialogs.js';
import { Icon } from '../icons.js';
import { bytes, fileName, marked, nameOf } from '../wording.js';
import { bestScores } from './tiles.js';
import { Editing } from './editing.js';
import { Why } from './why.js';

/** The hit as it was found, or, where a link named one that was not, the picture alone. */
function useOpened(id, hits) {
  const found = hits.find((hit) => hit.id === id);
  const [asked, setAsked] = useState({ id: null, picture: null, error: null });
  useEffect(() => {
    const stop = new AbortController();
    api.picture(id, stop.signal).then(
      (picture) => setAsked({ id, picture, error: null }),
      (error) => error.name !== 'AbortError' && setAsked({ id, picture: null, error }),
    );
    return () => stop.abort();
  }, [id]);
  const known = asked.id === id ? asked : { picture: null, error: null };
  return { hit: found ?? known.picture, picture: known.picture, error: found ? null : known.error };
}

/** A small picture is enlarged so much at most, and to this many pixels in any case. Own choice: more only shows how few there are. */
const ENLARGED = 2.5;
const SMALLEST = 420;

/** The thumbnail at once, the original over it when it has come. */
function Picture({ id, alt }) {
  const [loaded, setLoaded] = useState(null);
  const [failed, setFailed] = useState(null);
  const [most, setMost] = useState(null);
  const fit = ({ target }) => setMost(Math.max(SMALLEST, ENLARGED * Math.max(target.naturalWidth, target.naturalHeight)));
  const onLoad = (event) => {
    setLoaded(id);
    fit(event);
  };
  return html`<div class="stage-picture" style=${{ '--most': most && `${most}px` }}>
    <img class="thumbnail" src=${api.thumbnail(id)} alt=${loaded === id ? '' : alt} onLoad=${fit} />
    ${failed !== id && html`<img key=${id} class=${`original${loaded === id ? ' loaded' : ''}`} src=${api.original(id)} alt=${loaded === id ? alt : ''}
      onLoad=${onLoad} onError=${() => setFailed(id)} />`}
    ${failed === id && html`<p class="note">The original is not where it was; this is its thumbnail.</p>`}
  </div>`;
}

function Captions({ hit }) {
  if (!hit.captions.length) return html`<p class="quiet">No caption.</p>`;
  return html`<ul class="captions">${hit.captions.map((caption, index) => html`<li>${marked(caption, hit.marks?.[index])}</li>`)}</ul>`;
}

function Metadata({ metadata, onFilter }) {
  const entries = Object.entries(metadata ?? {});
  if (!entries.length) return null;
  const values = (value) => (Array.isArray(value) ? value : [value]);
  return html`<section><h3>Details</h3><dl class="metadata">
    ${entries.map(
      ([field, value]) => html`<dt>${field}</dt><dd>${values(value).map(
        (one) => html`<button class="tag" onClick=${() => onFilter(field, one)} title="Only pictures with this">${String(one)}</button>`,
      )}</dd>`,
    )}
  </dl></section>`;
}

function Actions({ hit, picture, actions }) {
  return html`<div class="actions">
    <button onClick=${actions.similar}><${Icon} name="similar" />More like this</button>
    <div class="pair">
      <button onClick=${actions.add} title="Add to the query (+)"><${Icon} name="plus" />Add</button>
      <button onClick=${actions.subtract} title="Subtract from the query (−)"><${Icon} name="minus" />Subtract</button>
    </div>
    <a class="button" href=${`/find?${new URLSearchParams({ id: hit.id })}`}><${Icon} name="find" />Find in this picture</a>
    ${picture?.original !== false &&
    html`<a class="button download" href=${`${api.original(hit.id)}?download`} download=${fileName(hit.id)}><${Icon} name="download" />Download${picture?.bytes ? html` <small>${bytes(picture.bytes)}</small>` : ''}</a>`}
  </div>`;
}

function useKeys(actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const onKey = (event) => {
      const typing = event.target.closest?.('input, textarea') || event.ctrlKey || event.metaKey || event.altKey;
      const stacked = document.querySelectorAll('dialog[open]').length > 1;
      const { previous, next, similar, add, subtract } = latest.current;
      const download = () => document.querySelector('.viewer .download')?.click();
      const action = { ArrowLeft: previous, ArrowRight: next, m: similar, '+': add, '-': subtract, d: download }[event.key];
      if (!action || typing || stacked) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

function Sides({ previous, next }) {
  return html`${previous && html`<button class="side previous" onClick=${previous} aria-label="Previous picture"><${Icon} name="left" size=${24} /></button>`}
    ${next && html`<button class="side next" onClick=${next} aria-label="Next picture"><${Icon} name="right" size=${24} /></button>`}`;
}

/** Own choice: shorter is a tap that slipped. */
const SWIPE = 48;

/** A swipe to the side is the previous or the next picture. */
function useSwipe({ previous, next }) {
  const begun = useRef(null);
  const onTouchStart = (event) => {
    const [touch] = event.touches;
    begun.current = event.touches.length === 1 ? { x: touch.clientX, y: touch.clientY } : null;
  };
  const onTouchEnd = (event) => {
    if (!begun.current) return;
    const [touch] = event.changedTouches;
    const right = touch.clientX - begun.current.x;
    const down = touch.clientY - begun.current.y;
    if (Math.abs(right) < SWIPE || Math.abs(right) < 1.5 * Math.abs(down)) return;
    (right > 0 ? previous : next)?.();
  };
  return { onTouchStart, onTouchEnd };
}

/** `actions`: previous, next, similar, add, subtract, filter, close; `onChanged` and `onDeleted` where it may be written. */
export function Viewer({ id, hits, asked, actions, writable, onChanged, onDeleted }) {
  const { hit, picture, error } = useOpened(id, hits);
  const best = bestScores(hits);
  const rank = hits.findIndex((other) => other.id === id) + 1;
  useKeys(actions);
  return html`<${Dialog} name="viewer" label=${hit ? nameOf(hit) : fileName(id)} onClose=${actions.close}>
    <div class="stage" ...${useSwipe(actions)}>
      <${Picture} id=${id} alt=${hit ? nameOf(hit) : ''} />
      <${Sides} previous=${actions.previous} next=${actions.next} />
    </div>
    <div class="panel">
      <div class="row between panel-head">
        <p class="quiet">${rank ? `${rank.toLocaleString()} of ${hits.length.toLocaleString()}${asked.more ? '+' : ''}` : ''}</p>
        <${CloseButton} onClose=${actions.close} />
      </div>
      ${error && html`<p role="alert">${error.status === 404 ? 'This picture is not in the index (any more).' : error.message}</p>`}
      ${hit && html`<div class="panel-body" key=${id}>
        <${Captions} hit=${hit} />
        <${Why} hit=${hit} best=${best} asked=${asked} />
        <${Actions} hit=${hit} picture=${picture} actions=${actions} />
        <${Metadata} metadata=${hit.metadata} onFilter=${actions.filter} />
        <p class="identity" title=${hit.id}>${hit.id}</p>
        ${writable && html`<${Editing} hit=${hit} onChanged=${onChanged} onDeleted=${onDeleted} />`}
      </div>`}
    </div>
  <//>`;
}
