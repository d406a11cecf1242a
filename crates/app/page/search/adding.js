// Adding pictures to the collection: several at once, each with its captions.
import { html, useEffect, useMemo, useState } from '../vendor/preact-htm.js';
import * as api from '../api.js';
import { CloseButton, Dialog, toast } from '../dialogs.js';
import { Icon } from '../icons.js';
import { bytes, plural } from '../wording.js';

const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

/** `field: value` a line; numbers and true or false as what they are. */
export function metadataOf(text) {
  const metadata = {};
  for (const line of lines(text)) {
    const [field, ...rest] = line.split(':');
    const value = rest.join(':').trim();
    if (!field.trim() || !value) throw new Error(`“${line}” is not of the form field: value`);
    const number = Number(value);
    metadata[field.trim()] = value === 'true' || value === 'false' ? value === 'true' : Number.isFinite(number) ? number : value;
  }
  return metadata;
}

function fieldsOf(item, metadata) {
  const captions = lines(item.captions).map((caption) => ['caption', caption]);
  const more = Object.keys(metadata).length ? [['metadata', JSON.stringify(metadata)]] : [];
  return [['image', item.file], ...captions, ...more];
}

const STATES = { waiting: '', sending: 'adding …', done: 'added', failed: '' };

function Item({ item, onChange, onRemove }) {
  const preview = useMemo(() => URL.createObjectURL(item.file), [item.file]);
  useEffect(() => () => URL.revokeObjectURL(preview), [preview]);
  const fixed = item.state === 'done' || item.state === 'sending';
  return html`<li class=${`new-picture ${item.state}`}>
    <img src=${preview} alt="" />
    <div>
      <p class="row between"><b>${item.file.name}</b><span class="quiet">${STATES[item.state] || bytes(item.file.size)}</span></p>
      <textarea rows="2" placeholder="What is to be seen? One caption a line" aria-label=${`Captions of ${item.file.name}`} disabled=${fixed}
        value=${item.captions} onInput=${(event) => onChange({ captions: event.target.value })}></textarea>
      ${item.problem && html`<p class="field-problem" role="alert">${item.problem}</p>`}
    </div>
    <button class="plain icon-only" aria-label=${`Leave out ${item.file.name}`} onClick=${onRemove} disabled=${fixed}><${Icon} name="close" size=${16} /></button>
  </li>`;
}

/** Sends those that are not added yet, one after the other; answers how many there are now. */
async function sendAll(items, metadata, update) {
  let added = 0;
  for (const item of items.filter((one) => one.state !== 'done')) {
    update(item, { state: 'sending', problem: '' });
    try {
      await api.patiently(() => api.addPicture(fieldsOf(item, metadata)));
      update(item, { state: 'done' });
      added += 1;
    } catch (refusal) {
      update(item, { state: 'failed', problem: [refusal.message, refusal.hint].filter(Boolean).join('. ') });
    }
  }
  return added;
}

export function Adding({ files, onClose, onAdded }) {
  const [items, setItems] = useState(() => files.map((file, key) => ({ key, file, captions: '', state: 'waiting', problem: '' })));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const update = (item, change) => setItems((now) => now.map((one) => (one.key === item.key ? { ...one, ...change } : one)));
  const left = items.filter((item) => item.state !== 'done').length;
  const send = async (event) => {
    event.preventDefault();
    setProblem('');
    try {
      const metadata = metadataOf(new FormData(event.target).get('metadata'));
      setBusy(true);
      const added = await sendAll(items, metadata, update);
      if (added) onAdded();
      if (added === left) {
        toast(`${plural(added, 'picture')} added; they can be found now.`);
        onClose();
      }
    } catch (refusal) {
      setProblem(refusal.message);
    }
    setBusy(false);
  };
  return html`<${Dialog} name="adding" label="Add pictures" onClose=${onClose}>
    <form onSubmit=${send}>
      <div class="row between"><h2>Add ${plural(items.length, 'picture')}</h2><${CloseButton} onClose=${onClose} /></div>
      <ul class="new-pictures">
        ${items.map((item) => html`<${Item} key=${item.key} item=${item} onChange=${(change) => update(item, change)}
          onRemove=${() => setItems((now) => now.filter((one) => one.key !== item.key))} />`)}
      </ul>
      <label for="new-metadata">Details of all of them <span class="quiet">one a line, as in year: 2026</span></label>
      <textarea id="new-metadata" name="metadata" rows="2" spellcheck=${false}></textarea>
      <p class="field-problem" role="alert">${problem}</p>
      <div class="row end"><button type="button" onClick=${onClose}>Cancel</button>
        <button class="primary" disabled=${busy || !left}>${busy ? 'Adding …' : 'Add to the collection'}</button></div>
    </form>
  <//>`;
}
