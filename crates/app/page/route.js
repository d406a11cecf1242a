// The address bar: which page is shown, and what is asked of it. Nothing else keeps that state.
import { useEffect, useState } from './vendor/preact-htm.js';

const watchers = new Set();
const here = () => ({ path: location.pathname, search: location.search });
const announce = () => watchers.forEach((watcher) => watcher(here()));

/** Where we are; the component is drawn anew when that changes. */
export function useRoute() {
  const [route, setRoute] = useState(here);
  useEffect(() => {
    watchers.add(setRoute);
    return () => watchers.delete(setRoute);
  }, []);
  return route;
}

/** Goes to an address of our own, without loading the page. */
export function go(address, { replace = false, state = null } = {}) {
  history[replace ? 'replaceState' : 'pushState'](state, '', address);
  announce();
}

/** Makes links to our own pages, and back and forward, change the route only. */
export function followLinks() {
  addEventListener('popstate', announce);
  document.addEventListener('click', (click) => {
    const link = click.target.closest?.('a[href]');
    const plain = click.button === 0 && !click.metaKey && !click.ctrlKey && !click.shiftKey && !click.altKey;
    if (!link || !plain || click.defaultPrevented || !isOurs(link)) return;
    click.preventDefault();
    const elsewhere = link.pathname !== location.pathname;
    go(link.href);
    if (elsewhere) scrollTo(0, 0);
  });
}

const PAGES = ['/', '/compare', '/find', '/about'];

function isOurs(link) {
  return link.origin === location.origin && PAGES.includes(link.pathname) && !link.target && !link.hasAttribute('download');
}
