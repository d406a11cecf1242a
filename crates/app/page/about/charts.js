// Before and after as bars.
import { html } from '../vendor/preact-htm.js';

const WIDTH = 720;
const LABEL = 190;
const ROW = 46;
const BAR = 14;

/** `rows`: `{name, before, after, low, high}` with shares from 0 to 1. */
export function BeforeAfter({ rows }) {
  const most = Math.max(...rows.flatMap((row) => [row.before ?? 0, row.high ?? row.after]), 0.01);
  const scale = (value) => (value / most) * (WIDTH - LABEL - 60);
  const told = rows.map((row) => `${row.name}: ${row.before === undefined ? '' : `${show(row.before)}, then `}${show(row.after)}`).join('; ');
  return html`<svg class="chart" viewBox=${`0 0 ${WIDTH} ${rows.length * ROW}`} role="img" aria-label=${told}>
    ${rows.map((row, index) => html`<g transform=${`translate(0 ${index * ROW})`}>
      <text x="0" y="24">${row.name}</text>
      ${row.before !== undefined && html`<rect class="before" x=${LABEL} y="4" width=${Math.max(1, scale(row.before))} height=${BAR} rx="3" />
        <text x=${LABEL + scale(row.before) + 8} y="15">${show(row.before)}</text>`}
      <rect class="after" x=${LABEL} y="20" width=${Math.max(1, scale(row.after))} height=${BAR} rx="3" />
      ${row.low !== undefined && html`<path class="interval" d=${`M${LABEL + scale(row.low)} 27H${LABEL + scale(row.high)}`} />`}
      <text class="value" x=${LABEL + scale(row.high ?? row.after) + 8} y="31">${show(row.after)}</text>
    </g>`)}
  </svg>`;
}

const show = (value) => `${(100 * value).toFixed(1)} %`;
