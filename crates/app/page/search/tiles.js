// The grid: rows of pictures in their own shapes, walked by arrow keys, going on as one scrolls.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact-htm.js';
import { thumbnail } from '../api.js';
import { bestCaption, marked, nameOf, percent } from '../wording.js';
import { shapeOf } from './shapes.js';

const calm = matchMedia('(prefers-reduced-motion: reduce)');

function Legs({ scores, best }) {
  const legs = [
    ['words', scores.lexical, best.lexical],
    ['meaning', scores.vector, best.vector],
  ];
  return html`<span class="legs" aria-hidden="true">
    ${legs.map(([leg, score, most]) => {
      const share = score > 0 && most > 0 ? Math.min(1, score / most) : 0;
      return html`<i class=${leg}><b style=${{ '--share': percent(share).replace(' ', '') }}></b></i>`;
    })}
  </span>`;
}

function Tile({ hit, href, best, focusable, ranked, onFocus }) {
  const caption = bestCaption(hit);
  return html`<li style=${{ '--ratio': shapeOf(hit.id) }} data-id=${hit.id}>
    <a href=${href} tabindex=${focusable ? 0 : -1} onFocus=${onFocus} draggable=${false}>
      <img src=${thumbnail(hit.id)} alt=${nameOf(hit)} decoding="async" draggable=${false} />
      <span class="over" aria-hidden="true">
        <span class="line">${marked(caption.text, caption.marks)}</span>
        ${ranked && html`<${Legs} scores=${hit.scores} best=${best} />`}
      </span>
    </a>
    ${hit.duplicates?.length > 0 && html`<span class="copies" title="nearly the same picture">+${hit.duplicates.length}</span>`}
    <p class="caption">${marked(caption.text, caption.marks)}</p>
  </li>`;
}

/** The best score of each leg among hits: what bars are measured against. */
export function bestScores(hits) {
  const most = (leg) => Math.max(0, ...hits.map((hit) => hit.scores?.[leg] ?? 0));
  return { lexical: most('lexical'), vector: most('vector') };
}

/** Lets tiles that stay glide to their new places when the order changes. */
function useGliding(list, order) {
  const places = useRef(new Map());
  useLayoutEffect(() => {
    const next = new Map();
    for (const tile of list.current.children) {
      if (!tile.dataset.id) continue;
      const { offsetLeft: left, offsetTop: top } = tile;
      const before = places.current.get(tile.dataset.id);
      next.set(tile.dataset.id, { left, top });
      if (!before || calm.matches || (before.left === left && before.top === top)) continue;
      const from = `translate(${before.left - left}px, ${before.top - top}px)`;
      tile.animate([{ transform: from }, { transform: 'none' }], { duration: 280, easing: 'cubic-bezier(.2,.7,.2,1)' });
    }
    places.current = next;
  }, [order]);
}

/** The tile that an arrow key leads to: beside, or the nearest in the row above or below. */
function neighbour(links, index, key) {
  if (key === 'ArrowRight') return links[index + 1];
  if (key === 'ArrowLeft') return links[index - 1];
  if (key === 'Home') return links[0];
  if (key === 'End') return links.at(-1);
  const box = links[index].getBoundingClientRect();
  const middle = box.left + box.width / 2;
  const down = key === 'ArrowDown';
  const boxes = links.map((link) => ({ link, box: link.getBoundingClientRect() }));
  const beyond = boxes.filter((other) => (down ? other.box.top > box.top + 4 : other.box.top < box.top - 4));
  if (!beyond.length) return undefined;
  const tops = beyond.map((other) => other.box.top);
  const row = down ? Math.min(...tops) : Math.max(...tops);
  const distance = (other) => Math.abs(other.box.left + other.box.width / 2 - middle);
  const inRow = beyond.filter((other) => Math.abs(other.box.top - row) < 4);
  return inRow.reduce((nearest, other) => (distance(other) < distance(nearest) ? other : nearest)).link;
}

const STEPS = ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown', 'Home', 'End'];

function walk(event, list) {
  if (!STEPS.includes(event.key) || event.altKey || event.metaKey || event.ctrlKey) return;
  const links = [...list.querySelectorAll('li > a')];
  const index = links.indexOf(document.activeElement);
  const next = index < 0 ? undefined : neighbour(links, index, event.key);
  if (index < 0) return;
  event.preventDefault();
  next?.focus();
  next?.scrollIntoView({ block: 'nearest', behavior: calm.matches ? 'auto' : 'smooth' });
}

function Sentinel({ onReached }) {
  const element = useRef(null);
  const reached = useRef(onReached);
  reached.current = onReached;
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && reached.current(), { rootMargin: '900px' });
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return html`<div class="sentinel" ref=${element}></div>`;
}

/** `addressOf(hit)` is where a tile leads; `onEnd` is called when one has scrolled near the end. */
export function Tiles({ hits, more, label, ranked, captions, dimmed, addressOf, onEnd }) {
  const list = useRef(null);
  const [current, setCurrent] = useState(null);
  const order = hits.map((hit) => hit.id).join('\n');
  useGliding(list, order);
  const best = bestScores(hits);
  const focused = hits.some((hit) => hit.id === current) ? current : hits[0]?.id;
  return html`<ul class=${`tiles${captions ? ' with-captions' : ''}${dimmed ? ' dimmed' : ''}`} ref=${list} aria-label=${label}
      aria-busy=${dimmed ? 'true' : 'false'} onKeyDown=${(event) => walk(event, list.current)}>
      ${hits.map(
        (hit) => html`<${Tile} key=${hit.id} hit=${hit} href=${addressOf(hit)} best=${best} ranked=${ranked}
          focusable=${hit.id === focused} onFocus=${() => setCurrent(hit.id)} />`,
      )}
    </ul>
    ${more && html`<${Sentinel} key=${hits.length} onReached=${onEnd} />`}`;
}
