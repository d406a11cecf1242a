// The heat map: values of tiles as colours over the picture.
import { html, useEffect, useRef } from '../vendor/preact-htm.js';

/**
 * Colours from least to most, as (share, red, green, blue): lightness rises evenly from dark violet to pale yellow, so that
 * more looks like more, also without colour vision. Own choice, after the idea of the colour maps of matplotlib.
 */
const STOPS = [
  [0.0, 22, 10, 58],
  [0.25, 106, 23, 110],
  [0.5, 188, 55, 84],
  [0.75, 243, 133, 32],
  [1.0, 252, 244, 158],
];

/** Up to the first share a cell is clear, from the second on it covers the picture: nothing lies over where nothing was found. */
const CLEAR = 0.12;
const COVERS = 0.6;

const coverAt = (share) => Math.min(1, Math.max(0, (share - CLEAR) / (COVERS - CLEAR)));

export function colourAt(value) {
  const share = Math.min(1, Math.max(0, value));
  const next = Math.max(1, STOPS.findIndex((stop) => stop[0] >= share));
  const [from, to] = [STOPS[next - 1], STOPS[next]];
  const way = (share - from[0]) / (to[0] - from[0]);
  return [1, 2, 3].map((channel) => Math.round(from[channel] + way * (to[channel] - from[channel])));
}

function paint(canvas, { columns, rows, values }) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d');
  const pixels = context.createImageData(columns, rows);
  values.forEach((value, index) => {
    const share = Math.min(1, Math.max(0, value));
    pixels.data.set([...colourAt(share), Math.round(255 * coverAt(share))], index * 4);
  });
  context.putImageData(pixels, 0, 0);
}

/** One pixel a cell; the browser draws it large and smooth. */
export function Heat({ map, opacity }) {
  const canvas = useRef(null);
  useEffect(() => paint(canvas.current, map), [map]);
  return html`<canvas class="heat" ref=${canvas} style=${{ opacity }} aria-hidden="true"></canvas>`;
}

/** What the colours mean. */
export function Legend({ low, high }) {
  return html`<div class="legend"><span>${low}</span>
    <svg aria-hidden="true"><defs><linearGradient id="heat-colours">${STOPS.map(
      ([share, red, green, blue]) => html`<stop offset=${share} stop-color=${`rgb(${red} ${green} ${blue})`} />`,
    )}</linearGradient></defs><rect width="100%" height="100%" rx="5" fill="url(#heat-colours)" /></svg><span>${high}</span></div>`;
}
