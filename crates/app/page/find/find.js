// Find in picture: where something is to be seen, or that it is not.
import { html, useEffect, useRef, useState } from '../vendor/preact-htm.js';
import * as api from '../api.js';
import { toast } from '../dialogs.js';
import { Dropping } from '../dropping.js';
import { Header } from '../header.js';
import { Icon } from '../icons.js';
import { go } from '../route.js';
import { Empty, Problem } from '../states.js';
import { percent } from '../wording.js';
import { Heat, Legend } from './heat.js';

const ZONES = [['find', 'find', 'Look into this picture']];

function parseFind(search) {
  const parameters = new URLSearchParams(search);
  return { id: parameters.get('id') ?? '', picture: parameters.get('picture') ?? '', text: parameters.get('text') ?? '' };
}

const addressOf = (asked) => `/find?${new URLSearchParams(Object.entries(asked).filter(([, value]) => value))}`;
const pictureOf = (asked) => (asked.picture ? api.uploaded(asked.picture) : asked.id ? api.original(asked.id) : null);

function useFound(asked) {
  const [found, setFound] = useState({ status: 'idle' });
  const [attempt, setAttempt] = useState(0);
  const key = addressOf(asked);
  useEffect(() => {
    if (!asked.text || !pictureOf(asked)) return setFound({ status: 'idle' });
    const stop = new AbortController();
    setFound((before) => ({ ...before, status: 'looking' }));
    const onBusy = () => setFound((before) => ({ ...before, status: 'busy' }));
    const parameters = new URLSearchParams(key.slice(key.indexOf('?')));
    api.patiently(() => api.find(parameters, stop.signal), { onBusy, signal: stop.signal }).then(
      (answer) => !stop.signal.aborted && setFound({ status: 'ready', answer, text: asked.text }),
      (error) => error.name !== 'AbortError' && setFound({ status: 'failed', error }),
    );
    return () => stop.abort();
  }, [key, attempt]);
  return { ...found, retry: () => setAttempt(attempt + 1) };
}

/** How far the server is with looking at other pictures, which it does once; asked while an answer takes long. */
function useLearning() {
  const [learning, setLearning] = useState(null);
  useEffect(() => {
    const look = () => api.about().then((about) => setLearning(about.indexes[0]?.finding ?? null), () => {});
    const timer = setInterval(look, 800);
    return () => clearInterval(timer);
  }, []);
  return learning?.ready ? null : learning;
}

function Looking() {
  const learning = useLearning();
  if (!learning) return html`<p class="verdict looking" role="status">Looking …</p>`;
  const { done, of } = learning;
  return html`<div class="verdict looking" role="status">
    <p>Getting to know the collection, which is done once: other pictures are what this one is compared with.</p>
    <progress max=${of || 1} value=${done}></progress>
    <p>${of ? `${done} of ${of} pictures` : 'Reading the model'}</p>
  </div>`;
}

function Verdict({ found }) {
  if (found.status === 'looking') return html`<${Looking} />`;
  if (found.status === 'busy') return html`<p class="verdict looking" role="status">Busy, trying again …</p>`;
  if (!found.answer) return null;
  const { found: isThere, confidence, explanation } = found.answer;
  return html`<section class=${`verdict ${isThere ? 'yes' : 'no'}`} role="status">
    <h2><${Icon} name=${isThere ? 'check' : 'close'} />${isThere ? 'Found' : 'Not in this picture'}</h2>
    <p class="confidence">${isThere
      ? html`confidence <b>${percent(confidence)}</b>`
      : html`fits better than ${percent(confidence)} of what it was compared with: not enough`}</p>
    <p>${explanation}</p>
  </section>`;
}

function Boxes({ answer, pointed, onPoint }) {
  return html`<svg class="boxes" viewBox=${`0 0 ${answer.width} ${answer.height}`} preserveAspectRatio="none" aria-hidden="true">
    ${answer.boxes.map((box, index) => html`<g class=${pointed === index ? 'pointed' : ''} onMouseEnter=${() => onPoint(index)} onMouseLeave=${() => onPoint(null)}>
      <rect class="under" x=${box.x} y=${box.y} width=${box.width} height=${box.height} />
      <rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} /></g>`)}
  </svg>
  ${answer.boxes.map((box, index) => html`<span class=${`box-number${pointed === index ? ' pointed' : ''}`} aria-hidden="true"
    style=${{ left: `${(100 * box.x) / answer.width}%`, top: `${(100 * box.y) / answer.height}%` }}>${index + 1}</span>`)}`;
}

/** Of how many other places one fits as well: what a share of .993 means. More than the sample has cannot be known. */
const oneIn = (score) => Math.round(1 / Math.max(5e-4, 1 - score));

/** Length of a bar: the same step for each ten times rarer. */
const rarity = (score) => Math.min(100, Math.max(2, (100 * Math.log10(oneIn(score))) / 3));

function Ranking({ answer, pointed, onPoint }) {
  if (!answer.boxes.length) return null;
  return html`<section><h3>Where</h3><ol class="ranking">
    ${answer.boxes.map((box, index) => html`<li class=${pointed === index ? 'pointed' : ''} tabindex="0" onMouseEnter=${() => onPoint(index)}
      onMouseLeave=${() => onPoint(null)} onFocus=${() => onPoint(index)} onBlur=${() => onPoint(null)}>
      <b>${index + 1}</b><span class="leg-bar" aria-hidden="true"><i style=${{ '--share': `${rarity(box.score)}%` }}></i></span>
      <span class="leg-score" title="so many other places fit as well">1 in ${oneIn(box.score).toLocaleString()}</span>
      <span class="quiet">${Math.round(box.width)} × ${Math.round(box.height)} px</span></li>`)}
  </ol></section>`;
}

function View({ view, onView }) {
  const set = (change) => onView({ ...view, ...change });
  return html`<section class="view">
    <fieldset class="switch"><legend class="unseen">Map</legend>
      ${[['map', 'Calibrated'], ['soft_map', 'Soft-max']].map(([value, name]) => html`<label><input type="radio" name="map" checked=${view.map === value}
        onChange=${() => set({ map: value })} /><span>${name}</span></label>`)}</fieldset>
    <p class="quiet">${view.map === 'map'
      ? 'Set against other pictures: clear is as ordinary as there, and the warmer, the rarer.'
      : 'Shares among the tiles: the best one is always hot, also where nothing is.'}</p>
    <label class="slider">Opacity <input type="range" min="0" max="1" step="0.02" value=${view.opacity} style=${{ '--at': `${view.opacity * 100}%` }}
      onInput=${(event) => set({ opacity: Number(event.target.value) })} /></label>
    <label class="tick"><input type="checkbox" checked=${view.boxes} onChange=${(event) => set({ boxes: event.target.checked })} /> Boxes</label>
    <${Legend} low=${view.map === 'map' ? 'as elsewhere' : 'least'} high=${view.map === 'map' ? 'rarest' : 'most'} />
  </section>`;
}

function Chooser({ onChoose }) {
  return html`<${Empty} title="Where in the picture is it?">
    <p>Drop a picture here, paste one, or choose it. From any search, a picture that is open has “Find in this picture”.</p>
    <button class="primary" onClick=${onChoose}><${Icon} name="picture" />Choose a picture</button>
  <//>`;
}

function Question({ asked, input, onAsk, onChoose }) {
  const ask = (event) => {
    event.preventDefault();
    onAsk({ ...asked, text: input.current.value.trim() });
  };
  return html`<form class="box" role="search" onSubmit=${ask}>
    <${Icon} name="find" />
    <div class="box-inside"><input ref=${input} type="search" name="text" defaultValue=${asked.text} key=${asked.text} placeholder="What should be found? a river, two planes, a red roof"
      aria-label="What should be found" autocomplete="off" enterkeyhint="search" /></div>
    <button type="button" class="plain icon-only" onClick=${onChoose} aria-label="Choose a picture" title="Choose a picture"><${Icon} name="picture" /></button>
  </form>`;
}

export function Find({ search, server }) {
  const asked = parseFind(search);
  const found = useFound(asked);
  const [view, setView] = useState({ map: 'map', opacity: 0.65, boxes: true });
  const [pointed, setPointed] = useState(null);
  const chooser = useRef(null);
  const input = useRef(null);
  const source = pictureOf(asked);
  const answer = source ? found.answer : null;
  useEffect(() => {
    document.title = asked.text ? `${asked.text} – find in picture – finelens` : 'Find in picture – finelens';
  }, [asked.text]);
  useEffect(() => {
    if (source && !asked.text) input.current?.focus();
  }, [source]);
  const choose = async ([file]) => {
    try {
      go(addressOf({ text: asked.text, picture: await api.upload(file) }));
    } catch (refusal) {
      toast(refusal.message, 'failed');
    }
  };
  const openChooser = () => chooser.current.click();

  return html`<${Header} path="/find" server=${server}>
      <${Question} asked=${asked} input=${input} onAsk=${(next) => go(addressOf(next))} onChoose=${openChooser} />
    <//>
    <main class="find">
      ${!source && html`<${Chooser} onChoose=${openChooser} />`}
      ${source && html`<div class=${`find-stage ${found.status}`}>
          <div class="find-picture">
            <img src=${source} alt="The picture that is looked into" />
            ${answer && html`<${Heat} map=${answer[view.map] ?? answer.map} opacity=${view.opacity} />`}
            ${answer && view.boxes && html`<${Boxes} answer=${answer} pointed=${pointed} onPoint=${setPointed} />`}
          </div>
        </div>
        <aside class="find-panel">
          ${!asked.text && html`<p class="verdict looking">Type what should be found in it.</p>`}
          ${found.status === 'failed' && html`<${Problem} error=${found.error} onRetry=${found.retry} />`}
          <${Verdict} found=${found} />
          ${answer && html`<${Ranking} answer=${answer} pointed=${pointed} onPoint=${setPointed} /><${View} view=${view} onView=${setView} />`}
        </aside>`}
    </main>
    <input ref=${chooser} type="file" accept="image/*" hidden onChange=${(event) => {
      if (event.target.files.length) choose([...event.target.files]);
      event.target.value = '';
    }} />
    <${Dropping} zones=${ZONES} onPictures=${choose} />`;
}
