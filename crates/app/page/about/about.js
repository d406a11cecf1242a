// About: which model, trained how and on what, how good before and after, how large, and how to ask it by program.
import { html, useEffect } from '../vendor/preact-htm.js';
import { toast } from '../dialogs.js';
import { Header } from '../header.js';
import { Icon } from '../icons.js';
import { Empty, Skeletons } from '../states.js';
import { bytes, percent, plural, short } from '../wording.js';
import { BeforeAfter } from './charts.js';
import { evaluationRows } from './evaluation.js';

function Facts({ facts }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return html`<dl class="facts">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

const duration = (seconds) =>
  seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;

function rule(index) {
  if (index.rule === 'convex') {
    const meaning = Math.round(100 * index.weight);
    return `${100 - meaning} % and ${meaning} %, fitted`;
  }
  return index.rule === 'rrf' ? 'by rank (not fitted)' : index.rule;
}

function Index({ index, alone }) {
  const title = alone ? 'The index' : index.name === 'main' ? 'The index that is searched' : 'The index to compare with';
  return html`<section>
    <h2>${title}</h2>
    <${Facts} facts=${[
      ['Folder', index.path_name],
      ['Pictures', index.pictures?.toLocaleString()],
      ['On disk', index.bytes && bytes(index.bytes)],
      ['Model', index.model?.name],
      ['Size', index.model?.preset && `${index.model.preset}, ${index.model.image_size} px`],
      ['Fingerprint', index.model?.hash?.slice(0, 12)],
      ['Numbers per picture', index.dim],
      ['Precision', index.precisions?.join(', ')],
      ['Words and meaning', rule(index)],
      ['Recall of the fast search', index.recall && percent(index.recall)],
      ['Language of captions', index.language?.replace(/^./, (letter) => letter.toUpperCase())],
    ]} />
  </section>`;
}

const TRAINING = [
  ['Pictures', 'train_images', short],
  ['Captions', 'train_captions', short],
  ['Parameters', 'parameters', (count) => `${(count / 1e6).toFixed(1)} million`],
  ['Epochs', 'epochs', short],
  ['Steps', 'steps', short],
  ['Batch', 'batch', short],
  ['Learning rate', 'learning_rate', String],
  ['Device', 'device', String],
  ['Took', 'seconds', duration],
  ['From', 'model', String],
  ['Data', 'data', String],
];

function Training({ training }) {
  if (!training) {
    return html`<section><h2>Training</h2><p class="quiet">This model was not trained by finelens, or its run is not where it was.</p></section>`;
  }
  const facts = TRAINING.filter(([, field]) => training[field] !== undefined && training[field] !== null);
  return html`<section><h2>Training</h2><${Facts} facts=${facts.map(([name, field, show]) => [name, show(training[field])])} /></section>`;
}

const share = (value) => (value === undefined ? '–' : `${(100 * value).toFixed(1)} %`);

function Difference({ row }) {
  if (row.before === undefined) return html`<td>–</td>`;
  const difference = row.after - row.before;
  return html`<td class=${difference > 0 ? 'better' : difference < 0 ? 'worse' : ''}>${difference > 0 ? '+' : ''}${(100 * difference).toFixed(1)}</td>`;
}

function Table({ rows, beforeName }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Evaluation as a table"><table>
    <thead><tr><th scope="col">Measure</th><th scope="col">${beforeName}</th><th scope="col">After</th><th scope="col">95 % interval</th><th scope="col">Difference</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr><th scope="row">${row.name}</th><td>${share(row.before)}</td><td>${share(row.after)}</td>
      <td>${row.low === undefined ? '–' : `${share(row.low)} to ${share(row.high)}`}</td><${Difference} row=${row} /></tr>`)}</tbody>
  </table></div>`;
}

function Evaluation({ evaluation }) {
  const { rows, beforeName, pool } = evaluationRows(evaluation);
  if (!rows.length) {
    return html`<section><h2>Evaluation</h2><p class="quiet">None was saved beside the model. Make one with <code>finelens eval DATA --model RUN --against BASE</code>.</p></section>`;
  }
  const charted = rows.filter((row) => row.charted);
  return html`<section>
    <h2>Evaluation</h2>
    ${pool && html`<p class="quiet">${pool}</p>`}
    <p class="key"><span><i></i>${beforeName}</span><span><i class="after"></i>After, with its 95 % interval</span></p>
    <${BeforeAfter} rows=${charted} />
    <${Table} rows=${rows} beforeName=${beforeName} />
  </section>`;
}

function Command({ about, text }) {
  const copy = () => navigator.clipboard.writeText(text).then(() => toast('Copied.'), () => toast('The browser does not let pages copy here.', 'failed'));
  return html`<div class="command"><p>${about}</p><pre tabindex="0"><code>${text}</code></pre>
    <button class="plain icon-only" onClick=${copy} aria-label=${`Copy: ${about}`} title="Copy"><${Icon} name="copy" /></button></div>`;
}

function Commands({ server }) {
  const token = server.session?.needs_login ? ` \\\n  -H 'Authorization: Bearer TOKEN'` : '';
  const write = token || ` \\\n  -H 'X-Finelens: 1'`;
  const at = location.origin;
  return html`<section>
    <h2>By program</h2>
    <p class="quiet">Everything on these pages is in the API too; <a href="/api/openapi.json" target="_blank">its description</a> is for programs that make clients.</p>
    <div class="commands">
      <${Command} about="Search by words" text=${`curl -G '${at}/api/search'${token} \\\n  --data-urlencode 'q=river bank' -d mode=hybrid -d limit=10`} />
      <${Command} about="Search by a picture" text=${`curl '${at}/api/search'${write} \\\n  -F image=@picture.jpg`} />
      <${Command} about="Find something in a picture" text=${`curl '${at}/api/find'${write} \\\n  -F image=@picture.jpg -F 'text=a bridge'`} />
      ${server.writable && html`<${Command} about="Add a picture" text=${`curl '${at}/api/pictures'${write} \\\n  -F image=@picture.jpg -F 'caption=a bridge over a river' \\\n  -F 'metadata={"year": 2026}'`} />`}
    </div>
  </section>`;
}

export function About({ server }) {
  useEffect(() => {
    document.title = 'About – finelens';
  }, []);
  const [main] = server.indexes;
  return html`<${Header} path="/about" server=${server} />
    <main class="about">
      <h1>${main ? `${plural(main.pictures, 'picture')}, and the model that reads them` : 'About'}</h1>
      ${!server.known && html`<${Skeletons} count=${4} />`}
      ${server.known && !main && html`<${Empty} title="The server does not say"><p>It could not be asked what it serves.</p><//>`}
      ${server.indexes.map((index) => html`<${Index} key=${index.name} index=${index} alone=${server.indexes.length === 1} />`)}
      ${main && html`<${Training} training=${main.training} /><${Evaluation} evaluation=${main.evaluation} /><${Commands} server=${server} />`}
      ${server.version && html`<p class="quiet">finelens ${server.version}</p>`}
    </main>`;
}
