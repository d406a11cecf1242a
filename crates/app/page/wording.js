// Numbers and marks as people read them.
import { html } from './vendor/preact-htm.js';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A caption with the places that matched in `<mark>`; they are given in bytes of UTF-8. */
export function marked(caption, marks = []) {
  const bytes = encoder.encode(caption);
  const pieces = [];
  let end = 0;
  for (const [from, to] of marks) {
    if (from < end || to > bytes.length) continue;
    pieces.push(decoder.decode(bytes.slice(end, from)));
    pieces.push(html`<mark>${decoder.decode(bytes.slice(from, to))}</mark>`);
    end = to;
  }
  pieces.push(decoder.decode(bytes.slice(end)));
  return pieces;
}

/** The caption of a hit in which most matched. */
export function bestCaption(hit) {
  const matches = (index) => hit.marks?.[index]?.length ?? 0;
  const best = hit.captions.reduce((best, _, index) => (matches(index) > matches(best) ? index : best), 0);
  return { text: hit.captions[best] ?? '', marks: hit.marks?.[best] ?? [] };
}

/** What a screen reader says for a picture. */
export const nameOf = (hit) => bestCaption(hit).text || fileName(hit.id);

export const fileName = (id) => id.split('/').pop();

export function ordinal(rank) {
  const ending = rank % 100 >= 11 && rank % 100 <= 13 ? 'th' : { 1: 'st', 2: 'nd', 3: 'rd' }[rank % 10] ?? 'th';
  return `${rank.toLocaleString()}${ending}`;
}

/** A share in per cent; nothing that is less than all is shown as all. */
export const percent = (share) => `${share < 1 ? Math.min(99, Math.round(share * 100)) : 100} %`;

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;

/** A number with as many digits as say something. */
export function short(number) {
  if (Number.isInteger(number)) return number.toLocaleString();
  return number.toLocaleString(undefined, { maximumSignificantDigits: 3 });
}

export function bytes(count) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let rest = count;
  while (rest >= 1000 && unit < units.length - 1) [rest, unit] = [rest / 1000, unit + 1];
  return `${rest < 10 && unit ? rest.toFixed(1) : Math.round(rest)} ${units[unit]}`;
}

/** “a”, “b” and “c”. */
export function listed(words) {
  const quoted = words.map((word) => `“${word}”`);
  if (quoted.length < 2) return quoted.join('');
  return `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}
