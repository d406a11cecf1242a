// Starts the page: what is known of the server, the header, and the page that the address names.
import { html, render, useEffect, useErrorBoundary, useState } from './vendor/preact-htm.js';
import * as api from './api.js';
import { About } from './about/about.js';
import { Compare } from './compare.js';
import { Toasts } from './dialogs.js';
import { Find } from './find/find.js';
import { Login } from './login.js';
import { Header } from './header.js';
import { followLinks, useRoute } from './route.js';
import { Search } from './search/search.js';
import { Empty } from './states.js';

const PAGES = { '/': Search, '/compare': Compare, '/find': Find, '/about': About, '/login': Login };

const UNKNOWN = { indexes: [], writable: false, session: null, known: false };

/** What the server says of itself: indexes, limits, and what this visitor may do. */
async function askServer() {
  const [about, session] = await Promise.all([api.about().catch(() => null), api.session().catch(() => null)]);
  const writable = Boolean(about?.writable && session?.can_write);
  return { ...about, indexes: about?.indexes ?? [], writable, session, known: true };
}

function useServer(wanted) {
  const [server, setServer] = useState(UNKNOWN);
  useEffect(() => {
    if (wanted) askServer().then(setServer);
  }, [wanted]);
  return server;
}

function Missing({ server }) {
  useEffect(() => {
    document.title = 'No such page – finelens';
  }, []);
  return html`<${Header} path="" server=${server} />
    <main><${Empty} title="There is no such page">
      <p>The address may be mistyped, or from another version.</p>
      <a class="button primary" href="/">To the search</a>
    <//></main>`;
}

/** What is seen where a part of the page breaks: a mistake of ours, and a way on. */
function Broken({ error }) {
  return html`<main><${Empty} title="This page broke">
    <p>That should not have happened. What was asked is still in the address.</p>
    <p class="quiet"><code>${String(error?.message ?? error)}</code></p>
    <div class="row wrap middle"><button class="primary" onClick=${() => location.reload()}>Load it again</button><a class="button" href="/" target="_self">Start over</a></div>
  <//></main>`;
}

function Page({ route, server }) {
  const [broken] = useErrorBoundary((error) => console.error(error));
  if (broken) return html`<${Broken} error=${broken} />`;
  const Inside = PAGES[route.path] ?? Missing;
  return html`<${Inside} search=${route.search} server=${server} />`;
}

function App() {
  const route = useRoute();
  const server = useServer(route.path !== '/login');
  return html`<${Page} key=${route.path} route=${route} server=${server} /><${Toasts} />`;
}

followLinks();
const root = document.getElementById('page');
root.replaceChildren();
render(html`<${App} />`, root);
