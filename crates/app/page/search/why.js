// Why a picture was found, in one sentence, and the scores behind it.
import { html } from '../vendor/preact-htm.js';
import { listed, ordinal, percent, short } from '../wording.js';

const byWords = (hit) => `its captions have ${listed(hit.matched)} (${ordinal(hit.scores.lexical_rank)} by words)`;
const byMeaning = (hit) => `the picture itself is ${ordinal(hit.scores.vector_rank)} closest in meaning`;

/** One sentence; empty where nothing was ranked. */
export function whyFound(hit, { mode, rule, pictures }) {
  const { lexical_rank: words, vector_rank: meaning } = hit.scores ?? {};
  const hasWords = words && hit.matched?.length;
  if (!words && !meaning) return '';
  if (mode === 'lexical' && hasWords) return sentence(byWords(hit));
  if (mode === 'vector' || pictures) {
    return pictures ? `Of all pictures it is the ${ordinal(meaning ?? hit.rank)} most alike.` : sentence(byMeaning(hit));
  }
  if (hasWords && meaning) return sentence(`${byWords(hit)}, and ${byMeaning(hit)}${share(rule)}`);
  if (hasWords) return sentence(`${byWords(hit)}; in meaning it is not among the closest`);
  return sentence(`no word of yours is in its captions, but ${byMeaning(hit)}`);
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
const share = (rule) => (rule?.kind === 'convex' ? `, which counts ${percent(rule.weight)}` : '');

function Leg({ leg, name, score, best, rank }) {
  const known = score !== null && score !== undefined;
  const width = known && best > 0 ? Math.max(0, Math.min(1, score / best)) : 0;
  return html`<div class=${`leg ${leg}`}>
    <span class="leg-name">${name}</span>
    <span class="leg-bar" aria-hidden="true"><i style=${{ '--share': `${width * 100}%` }}></i></span>
    <span class="leg-score">${known ? short(score) : '–'}</span>
    <span class="leg-rank">${rank ? `${ordinal(rank)}` : 'not ranked'}</span>
  </div>`;
}

/** Both scores as bars against the best of the hits, and the sentence. */
export function Why({ hit, best, asked }) {
  const why = whyFound(hit, asked);
  if (!why) return null;
  const { scores } = hit;
  return html`<section class="why">
    <h3>Why it is here</h3>
    <p>${why}</p>
    <${Leg} leg="words" name="Words" score=${scores.lexical} best=${best.lexical} rank=${scores.lexical_rank} />
    <${Leg} leg="meaning" name="Meaning" score=${scores.vector} best=${best.vector} rank=${scores.vector_rank} />
  </section>`;
}
