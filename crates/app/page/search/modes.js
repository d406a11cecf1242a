// How words and meaning are weighed: the switch of three, and the slider between the two.
import { html, useEffect, useRef, useState } from '../vendor/preact-htm.js';
import { isTyping } from '../dialogs.js';
import { hasPicture } from '../query.js';

export const MODES = [
  ['lexical', 'Words', 'Pictures whose captions have these words'],
  ['vector', 'Meaning', 'Pictures that the model finds close to these words'],
  ['hybrid', 'Both', 'Words and meaning together'],
];

export const nameOfMode = (mode) => MODES.find(([value]) => value === (mode || 'hybrid'))[1];

/** Own choice: a search takes milliseconds, so the slider may ask this often while it moves. */
const EVERY_MS = 90;

/** Calls `action` with the newest value, at most once in a while. */
function useThrottled(action) {
  const state = useRef({ timer: null, value: null });
  const latest = useRef(action);
  latest.current = action;
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return (value) => {
    state.current.value = value;
    state.current.timer ??= setTimeout(() => {
      state.current.timer = null;
      latest.current(state.current.value);
    }, EVERY_MS);
  };
}

/** `fitted` is the share that the index itself has chosen for meaning, if it was fitted. */
function Weight({ weight, fitted, onChange }) {
  const given = weight === '' ? fitted ?? 0.5 : Number(weight);
  const [shown, setShown] = useState(given);
  useEffect(() => setShown(given), [given]);
  const send = useThrottled(onChange);
  const move = (event) => {
    setShown(Number(event.target.value));
    send(event.target.value);
  };
  const share = Math.round(shown * 100);
  return html`<div class="weight">
    <span class="words-share">Words ${100 - share}</span>
    <span class="weight-track">
      <input type="range" min="0" max="1" step="0.01" value=${shown} onInput=${move} onDblClick=${() => onChange('')}
        aria-label="Share of meaning" aria-valuetext=${`words ${100 - share}, meaning ${share} per cent`} />
      ${fitted !== null && html`<i class="fitted" style=${{ '--share': fitted }} title="fitted on the captions of this index"></i>`}
    </span>
    <span class="meaning-share">${share} Meaning</span>
    ${weight !== '' && html`<button class="plain small" onClick=${() => onChange('')} title="Back to the share that the index has chosen">Reset</button>`}
  </div>`;
}

function useModeKeys(onMode) {
  const latest = useRef(onMode);
  latest.current = onMode;
  useEffect(() => {
    const onKey = (event) => {
      const mode = MODES[Number(event.key) - 1];
      if (mode && !isTyping(event)) latest.current(mode[0]);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

export function Modes({ query, fitted, onChange }) {
  const mode = query.mode || 'hybrid';
  const choose = (value) => (value === 'lexical' && hasPicture(query) ? null : onChange({ ...query, mode: value === 'hybrid' ? '' : value, weight: value === 'hybrid' ? query.weight : '' }));
  useModeKeys(choose);
  return html`<div class="modes">
    <fieldset class="switch">
      <legend class="unseen">Search by</legend>
      ${MODES.map(
        ([value, name, meaning]) => html`<label title=${meaning} class=${value}>
          <input type="radio" name="mode" value=${value} disabled=${value === 'lexical' && hasPicture(query)} checked=${mode === value} onChange=${() => choose(value)} /><span>${name}</span>
        </label>`,
      )}
    </fieldset>
    ${mode === 'hybrid' && html`<${Weight} weight=${query.weight} fitted=${fitted} onChange=${(weight) => onChange({ ...query, weight }, true)} />`}
  </div>`;
}
