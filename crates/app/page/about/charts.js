// Before and after as bars, each after with its interval.
import { html } from '../vendor/preact-htm.js';

const show = (value) => `${(100 * value).toFixed(1)} %`;

function Bar({ kind, value, end, row, scale }) {
  const interval = kind === 'after' && row.low !== undefined;
  return html`<div class=${`bar-of ${kind}`} style=${{ '--share': scale(value), '--end': scale(end), '--low': scale(row.low ?? 0) }}>
    <i></i>${interval && html`<b></b>`}<span>${show(value)}</span>
  </div>`;
}

/** `rows`: `{name, before, after, low, high}` with shares from 0 to 1. */
export function BeforeAfter({ rows }) {
  const most = Math.max(...rows.flatMap((row) => [row.before ?? 0, row.high ?? row.after]), 0.01);
  const scale = (value) => value / most;
  return html`<div class="chart">
    ${rows.map((row) => html`<div class="chart-row"><p>${row.name}</p><div>
      ${row.before !== undefined && html`<${Bar} kind="before" value=${row.before} end=${row.before} row=${row} scale=${scale} />`}
      <${Bar} kind="after" value=${row.after} end=${row.high ?? row.after} row=${row} scale=${scale} />
    </div></div>`)}
  </div>`;
}
