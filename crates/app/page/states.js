// What stands in place of pictures: while they load, where there are none, and where something went wrong.
import { html } from './vendor/preact-htm.js';

const WIDTHS = [1.5, 1, 1.33, 0.75, 1, 1.5, 1.33, 1];

/** Grey tiles that keep the place. */
export function Skeletons({ count = 18 }) {
  return html`<ul class="tiles skeletons" aria-hidden="true">
    ${Array.from({ length: count }, (_, index) => html`<li style=${{ '--ratio': WIDTHS[index % WIDTHS.length] }}></li>`)}
  </ul>`;
}

/** `title` says what is the case, `children` what can be done. */
export function Empty({ title, children }) {
  return html`<section class="empty"><h2>${title}</h2>${children}</section>`;
}

/** An error in words that say what to do. */
export function Problem({ error, onRetry }) {
  const { title, advice } = inWords(error);
  return html`<section class="empty problem" role="alert">
    <h2>${title}</h2>
    <p>${advice}</p>
    ${onRetry && html`<button onClick=${onRetry}>Try again</button>`}
  </section>`;
}

function inWords(error) {
  if (error.status === 0) {
    return { title: 'The server is gone', advice: 'It does not answer. If it was stopped, start it again with finelens serve; the page goes on from here.' };
  }
  if (error.status === 429) {
    return { title: 'Busy', advice: 'Many searches came at once, and this one was not taken. A moment later it will be.' };
  }
  if (error.status >= 500) return { title: 'Something broke in the server', advice: error.message };
  return { title: sentence(error.message), advice: error.hint ? sentence(error.hint) : '' };
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
