// What lies over the page: the list of keys, questions to confirm, and short messages.
import { html, useEffect, useRef, useState } from './vendor/preact-htm.js';
import { Icon } from './icons.js';

/** A modal dialog; the browser keeps the focus inside and closes it on Escape. */
export function Dialog({ name, label, onClose, children }) {
  const element = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    // Without a field that asks for it, the dialog itself has the focus: a ring around its first button would say too much.
    if (!element.current.querySelector('[autofocus]')) element.current.focus();
    return () => before?.focus?.({ preventScroll: true });
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  const outside = (click) => click.target === element.current && onClose();
  return html`<dialog class=${name} aria-label=${label} ref=${element} tabindex="-1" onCancel=${cancel} onMouseDown=${outside}>
    ${children}
  </dialog>`;
}

export function CloseButton({ onClose, label = 'Close' }) {
  return html`<button class="plain icon-only" onClick=${onClose} aria-label=${label} title="Close (Esc)">
    <${Icon} name="close" />
  </button>`;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ question, detail, action, onYes, onNo }) {
  return html`<${Dialog} name="small-dialog" label=${question} onClose=${onNo}>
    <h2>${question}</h2>
    <p>${detail}</p>
    <div class="row end">
      <button onClick=${onNo} autofocus>Keep</button>
      <button class="danger" onClick=${onYes}>${action}</button>
    </div>
  <//>`;
}

let tell = () => {};

/** Says something for some seconds, to eyes and screen readers. */
export const toast = (text, kind = 'done') => tell({ toast: { text, kind, key: Date.now() } });

export const showKeys = () => tell({ keys: true });

const KEYS = [
  ['/', 'go to the search box'],
  ['↑ ↓ ← →', 'move among the pictures'],
  ['Enter', 'open the picture, or search'],
  ['Esc', 'close what is open'],
  ['1 2 3', 'words, meaning, both'],
  ['f', 'filters'],
  ['?', 'this list'],
];

const KEYS_IN_VIEWER = [
  ['← →', 'previous and next picture'],
  ['m', 'more like this'],
  ['+ −', 'add to the query, subtract from it'],
  ['d', 'download'],
];

function KeyList({ keys }) {
  return html`<dl class="keys">
    ${keys.map(
      ([key, meaning]) => html`<dt>${key.split(' ').map((one) => html`<kbd>${one}</kbd>`)}</dt><dd>${meaning}</dd>`,
    )}
  </dl>`;
}

function Keys({ onClose }) {
  return html`<${Dialog} name="small-dialog" label="Keys" onClose=${onClose}>
    <div class="row between"><h2>Keys</h2><${CloseButton} onClose=${onClose} /></div>
    <${KeyList} keys=${KEYS} />
    <h3>With a picture open</h3>
    <${KeyList} keys=${KEYS_IN_VIEWER} />
  <//>`;
}

const TAKES_LETTERS = 'input:not([type=radio], [type=checkbox], [type=range]), textarea, select, dialog';

/** Whether a key press is meant for what has the focus, not for the page. */
export function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TAKES_LETTERS);
}

/** Where messages and the list of keys appear. */
export function Toasts() {
  const [shown, setShown] = useState({ toast: null, keys: false });
  tell = (change) => setShown((before) => ({ ...before, ...change }));
  useEffect(() => {
    const onKey = (event) => event.key === '?' && !isTyping(event) && showKeys();
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  useEffect(() => {
    if (!shown.toast) return undefined;
    const timer = setTimeout(() => tell({ toast: null }), 5000);
    return () => clearTimeout(timer);
  }, [shown.toast?.key]);
  return html`<div class="toasts" role="status" aria-live="polite">
      ${shown.toast && html`<p class=${`toast ${shown.toast.kind}`}>${shown.toast.text}</p>`}
    </div>
    ${shown.keys && html`<${Keys} onClose=${() => tell({ keys: false })} />`}`;
}
