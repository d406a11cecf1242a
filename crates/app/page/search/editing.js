// Changing what is said of a picture, and taking it out of the index.
import { html, useState } from '../vendor/preact-htm.js';
import * as api from '../api.js';
import { Confirm, toast } from '../dialogs.js';
import { Icon } from '../icons.js';
import { fileName } from '../wording.js';

const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

function CaptionForm({ hit, onDone, onChanged }) {
  const [busy, setBusy] = useState(false);
  const save = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const changed = await api.changePicture(hit.id, { captions: lines(new FormData(event.target).get('captions')) });
      onChanged(hit.id, changed);
      onDone();
      toast('Captions saved.');
    } catch (refusal) {
      setBusy(false);
      toast(refusal.message, 'failed');
    }
  };
  return html`<form class="edit" onSubmit=${save}>
    <label for="captions">Captions, one a line</label>
    <textarea id="captions" name="captions" rows=${Math.max(3, hit.captions.length + 1)} autofocus>${hit.captions.join('\n')}</textarea>
    <div class="row end"><button type="button" onClick=${onDone}>Cancel</button><button class="primary" disabled=${busy}>Save</button></div>
  </form>`;
}

function useDeletion(hit, onDeleted) {
  const [asking, setAsking] = useState(false);
  const yes = async () => {
    setAsking(false);
    try {
      await api.deletePicture(hit.id);
      toast(`${fileName(hit.id)} is out of the index.`);
      onDeleted(hit.id);
    } catch (refusal) {
      toast(refusal.message, 'failed');
    }
  };
  const question = asking && html`<${Confirm} question="Take this picture out of the index?" action="Take it out" onYes=${yes} onNo=${() => setAsking(false)}
    detail="It will not be found any more. Its file, if it came from a folder of yours, stays where it is." />`;
  return [question, () => setAsking(true)];
}

export function Editing({ hit, onChanged, onDeleted }) {
  const [editing, setEditing] = useState(false);
  const [question, askToDelete] = useDeletion(hit, onDeleted);
  if (editing) return html`<${CaptionForm} hit=${hit} onDone=${() => setEditing(false)} onChanged=${onChanged} />`;
  return html`<div class="row editing">
    <button class="plain" onClick=${() => setEditing(true)}><${Icon} name="edit" />Edit captions</button>
    <button class="plain danger-text" onClick=${askToDelete}><${Icon} name="bin" />Delete</button>
    ${question}
  </div>`;
}
