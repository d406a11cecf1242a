// Pictures that are dropped onto the page or pasted into it.
import { html, useEffect, useRef, useState } from './vendor/preact-htm.js';
import { Icon } from './icons.js';

const picturesOf = (transfer) => [...(transfer?.files ?? [])].filter((file) => file.type.startsWith('image/'));
const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');

/** Whether files are held over the window. */
function useDrag(onDrop) {
  const [held, setHeld] = useState(false);
  const depth = useRef(0);
  useEffect(() => {
    const enter = (event) => carriesFiles(event) && (depth.current += 1) && setHeld(true);
    const leave = (event) => carriesFiles(event) && (depth.current -= 1) <= 0 && setHeld(false);
    const over = (event) => carriesFiles(event) && event.preventDefault();
    const drop = (event) => {
      depth.current = 0;
      setHeld(false);
      if (!carriesFiles(event)) return;
      event.preventDefault();
      onDrop.current(picturesOf(event.dataTransfer), event.target.closest?.('[data-drop]')?.dataset.drop);
    };
    const all = { dragenter: enter, dragleave: leave, dragover: over, drop };
    Object.entries(all).forEach(([name, listener]) => addEventListener(name, listener));
    return () => Object.entries(all).forEach(([name, listener]) => removeEventListener(name, listener));
  }, []);
  return held;
}

function usePaste(onPaste) {
  useEffect(() => {
    const paste = (event) => {
      const pictures = picturesOf(event.clipboardData);
      if (!pictures.length) return;
      event.preventDefault();
      onPaste.current(pictures);
    };
    addEventListener('paste', paste);
    return () => removeEventListener('paste', paste);
  }, []);
}

/** `zones`: `[[name, icon, text], …]`; `onPictures(files, zone)` hears where they were let go. */
export function Dropping({ zones, onPictures }) {
  const latest = useRef(onPictures);
  latest.current = (files, zone) => files.length && onPictures(files, zone ?? zones[0][0]);
  const held = useDrag(latest);
  usePaste(latest);
  if (!held) return null;
  return html`<div class="drop-zones">
    ${zones.map(([name, icon, text]) => html`<div data-drop=${name}><${Icon} name=${icon} size=${36} /><p>${text}</p></div>`)}
  </div>`;
}
