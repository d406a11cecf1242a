// Icons of our own, drawn in a box of 20 with one weight of line.
import { html } from './vendor/preact-htm.js';

const PATHS = {
  search: 'M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM13.2 13.2 17 17',
  picture: 'M3.5 5a1.5 1.5 0 0 1 1.5-1.5h10A1.5 1.5 0 0 1 16.5 5v10a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15ZM4 14l3.6-3.8 3 3 2-2L16 14M12.6 7.4h.01',
  close: 'M5 5l10 10M15 5 5 15',
  filters: 'M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4',
  light: 'M10 6.7a3.3 3.3 0 1 1 0 6.6 3.3 3.3 0 0 1 0-6.6ZM10 2.3v1.4M10 16.3v1.4M2.3 10h1.4M16.3 10h1.4M4.6 4.6l1 1M14.4 14.4l1 1M4.6 15.4l1-1M14.4 5.6l1-1',
  dark: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5Z',
  system: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14ZM10 3v14M10 6.5h5.6M10 10h7M10 13.5h5.6',
  plus: 'M10 4v12M4 10h12',
  minus: 'M4 10h12',
  download: 'M10 3.5v9M6.3 9 10 12.7 13.7 9M4 16.5h12',
  left: 'M12 4.5 6.5 10l5.5 5.5',
  right: 'M8 4.5l5.5 5.5L8 15.5',
  edit: 'M4 16l.8-3.2 8-8a1.4 1.4 0 0 1 2 0l.4.4a1.4 1.4 0 0 1 0 2l-8 8Z',
  bin: 'M4 6h12M8 6V4h4v2M5.5 6l.7 10h7.6l.7-10',
  help: 'M7.7 7.6a2.4 2.4 0 1 1 3.4 2.2c-.8.4-1.1.8-1.1 1.7M10 14.3v.1',
  copy: 'M7.5 7.5h9v9h-9ZM12.5 7.5v-4h-9v9h4',
  menu: 'M3.5 6h13M3.5 10h13M3.5 14h13',
  similar: 'M3.5 7.5h9v9h-9ZM7 4.7V3.5h9.5V13h-1.2',
  find: 'M3.5 7V3.5H7M13 3.5h3.5V7M16.5 13v3.5H13M7 16.5H3.5V13M10 7.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z',
  compare: 'M3.5 4.5h5v11h-5ZM11.5 4.5h5v11h-5Z',
  about: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14ZM10 9.3v4.2M10 6.6v.1',
  steer: 'M3.5 6.5h6M6.5 3.5v6M11 14h6M4 17 16 4',
  captions: 'M3.5 4.5h13v8h-13ZM5.5 16h9',
  check: 'M4.5 10.5 8.3 14 15.5 6',
};

/** An icon; it says nothing to screen readers, the button around it does. */
export function Icon({ name, size = 20 }) {
  return html`<svg class="icon" viewBox="0 0 20 20" width=${size} height=${size} aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>`;
}

/** The mark: two circles, words and meaning, and the lens where they overlap. */
export function Mark({ size = 26 }) {
  return html`<svg class="mark-of-ours" viewBox="0 0 28 28" width=${size} height=${size} aria-hidden="true">
    <path class="lens" d="M14 7.76a8 8 0 0 1 0 12.48 8 8 0 0 1 0-12.48Z" />
    <circle cx="9" cy="14" r="8" /><circle cx="19" cy="14" r="8" />
  </svg>`;
}
