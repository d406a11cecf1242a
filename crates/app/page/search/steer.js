// Steering by words: more of this, less of that, apart from what was typed into the box.
import { html, useRef } from '../vendor/preact-htm.js';
import { Icon } from '../icons.js';
import { withTerm } from '../query.js';

export function Steer({ query, onChange }) {
  const popover = useRef(null);
  const input = useRef(null);
  const button = useRef(null);
  const steer = (list) => {
    const text = input.current.value.trim();
    if (!text) return;
    input.current.value = '';
    popover.current.hidePopover();
    onChange(withTerm(query, list, text));
  };
  const opened = (event) => {
    if (event.newState !== 'open') return;
    const { left, bottom } = button.current.getBoundingClientRect();
    const most = document.documentElement.clientWidth - popover.current.offsetWidth - 10;
    popover.current.style.left = `${Math.max(10, Math.min(left, most))}px`;
    popover.current.style.top = `${bottom}px`;
    input.current.focus();
  };
  return html`<button ref=${button} class="plain collapsing" popovertarget="steer" aria-label="Steer" title="Add to what the query means, or subtract from it"><${Icon} name="steer" /><span>Steer</span></button>
    <form id="steer" class="popover" popover="auto" ref=${popover} ontoggle=${opened} onSubmit=${(event) => (event.preventDefault(), steer('add'))}>
      <label for="steer-words">More or less of …</label>
      <input id="steer-words" ref=${input} placeholder="clouds" autocomplete="off" />
      <div class="pair">
        <button type="submit"><${Icon} name="plus" />More</button>
        <button type="button" onClick=${() => steer('subtract')}><${Icon} name="minus" />Less</button>
      </div>
      <p class="quiet">Moves the meaning of the query towards these words or away from them. It does not require or exclude them.</p>
    </form>`;
}
