// Starts the page: what is known of the server, the header, and the page that the address names.
import { html, render, useEffect, useState } from './vendor/preact-htm.js';
import * as api from './api.js';
import { About } from './about/about.js';
import { Compare } from './compare.js';
import { Toasts } from './dialogs.js';
import { Find } from './find/find.js';
import { Login } from './login.js';
import { followLinks, useRoute } from './route.js';
import { Search } from './search/search.js';

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

function App() {
  const route = useRoute();
  const server = useServer(route.path !== '/login');
  const Page = PAGES[route.path] ?? Search;
  return html`<${Page} key=${route.path} search=${route.search} server=${server} /><${Toasts} />`;
}

followLinks();
const root = document.getElementById('page');
root.replaceChildren();
render(html`<${App} />`, root);
