// The bar on top: the mark, room for a search box, the other pages, light or dark, the list of keys.
import { html, useEffect, useState } from './vendor/preact-htm.js';
import * as api from './api.js';
import { showKeys } from './dialogs.js';
import { Icon, Mark } from './icons.js';

const PAGES = [
  ['/', 'search', 'Search'],
  ['/compare', 'compare', 'Compare'],
  ['/find', 'find', 'Find in picture'],
  ['/about', 'about', 'About'],
];

const THEMES = ['system', 'light', 'dark'];

function rememberedTheme() {
  const theme = localStorage.getItem('theme');
  return THEMES.includes(theme) ? theme : 'system';
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(rememberedTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  const change = () => {
    localStorage.setItem('theme', next);
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    setTheme(next);
  };
  const label = `Colours: ${theme}. Change to ${next}`;
  return html`<button class="plain icon-only" onClick=${change} aria-label=${label} title=${label}>
    <${Icon} name=${theme} />
  </button>`;
}

function Links({ path }) {
  return PAGES.map(
    ([address, icon, name]) => html`<a href=${address} aria-current=${path === address ? 'page' : undefined}>
      <${Icon} name=${icon} />${name}
    </a>`,
  );
}

function Leave({ session }) {
  if (!session?.needs_login) return null;
  const leave = () => api.logout().finally(() => location.assign('/login'));
  return html`<button class="plain" onClick=${leave}>Log out</button>`;
}

/** `children` is the search box of a page that has one. */
export function Header({ path, server, home = false, hero, children }) {
  useEffect(() => {
    const close = () => document.getElementById('menu')?.hidePopover?.();
    addEventListener('popstate', close);
    return () => removeEventListener('popstate', close);
  }, []);
  return html`<header class=${`bar${home ? ' at-home' : ''}`}>
    <a class="brand" href="/" aria-label="finelens, to the search"><${Mark} /><span>finelens</span></a>
    ${hero && html`<div class="hero">${hero}</div>`}
    <div class="bar-middle">${children}</div>
    <nav class="pages" aria-label="Pages"><${Links} path=${path} /></nav>
    <div class="bar-end">
      <${Leave} session=${server.session} />
      <button class="plain icon-only keys-button" onClick=${showKeys} aria-label="Keys" title="Keys (?)"><${Icon} name="help" /></button>
      <${ThemeSwitch} />
      <button class="plain icon-only menu-button" popovertarget="menu" aria-label="Menu"><${Icon} name="menu" /></button>
    </div>
    <nav id="menu" class="menu" popover="auto" aria-label="Pages"><${Links} path=${path} /></nav>
  </header>`;
}
