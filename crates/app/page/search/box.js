// The search box: words with suggestions, and chips for pictures, and for what was added and subtracted.
import { html, useEffect, useRef, useState } from '../vendor/preact-htm.js';
import * as api from '../api.js';
import { isTyping } from '../dialogs.js';
import { Icon } from '../icons.js';
import { termOf, withoutTerm } from '../query.js';
import { fileName } from '../wording.js';

/** Own choice: shorter than most pauses between words, longer than those between letters. */
const PAUSE_MS = 110;

function useSuggestions(text, wanted) {
  const [suggestions, setSuggestions] = useState([]);
  useEffect(() => {
    setSuggestions([]);
    if (!wanted || text.trim().length < 2) return undefined;
    const stop = new AbortController();
    const ask = () =>
      api.suggest(text, stop.signal).then(
        (answer) => setSuggestions(answer.suggestions.filter((one) => one !== text)),
        // Suggestions are a courtesy: where they fail, the box still works.
        () => setSuggestions([]),
      );
    const timer = setTimeout(ask, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text, wanted]);
  return [suggestions, () => setSuggestions([])];
}

/** `/` goes to the box from anywhere. */
function useSlash(input) {
  useEffect(() => {
    const onKey = (event) => {
      if (event.key !== '/' || isTyping(event)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

function Chip({ kind, sign, picture, text, onRemove }) {
  const spoken = { like: 'like this picture', add: `more of ${text}`, subtract: `less of ${text}` }[kind];
  return html`<span class=${`chip ${kind}`} title=${spoken}>
    ${sign && html`<b aria-hidden="true">${sign}</b>`}
    ${picture ? html`<img src=${picture} alt=${spoken} />` : html`<span>${text}</span>`}
    <button class="plain" onClick=${onRemove} aria-label=${`Take away: ${spoken}`}><${Icon} name="close" size=${12} /></button>
  </span>`;
}

function termChip(list, sign, value, remove) {
  const term = termOf(value);
  const picture = { id: api.thumbnail(term.value, 96), picture: api.uploaded(term.value) }[term.kind];
  return html`<${Chip} key=${list + value} kind=${list} sign=${sign} picture=${picture}
    text=${term.kind === 'text' ? term.value : fileName(term.value)} onRemove=${() => remove(list, value)} />`;
}

function Chips({ query, onChange }) {
  const remove = (list, value) => onChange(withoutTerm(query, list, value));
  return html`${query.picture.map((hash) => html`<${Chip} key=${hash} kind="like" picture=${api.uploaded(hash)}
        text="picture" onRemove=${() => remove('picture', hash)} />`)}
    ${query.like.map((id) => html`<${Chip} key=${id} kind="like" picture=${api.thumbnail(id, 96)}
        text=${fileName(id)} onRemove=${() => remove('like', id)} />`)}
    ${query.add.map((value) => termChip('add', '+', value, remove))}
    ${query.subtract.map((value) => termChip('subtract', '−', value, remove))}`;
}

function Suggestion({ text, typed, selected, id, onPick }) {
  const same = text.toLowerCase().startsWith(typed.toLowerCase()) ? typed.length : 0;
  const pick = (event) => {
    event.preventDefault();
    onPick(text);
  };
  return html`<li id=${id} role="option" aria-selected=${selected ? 'true' : 'false'} onMouseDown=${pick}>
    <${Icon} name="search" size=${14} /><span>${text.slice(0, same)}<b>${text.slice(same)}</b></span>
  </li>`;
}

/** Keys of the list of suggestions; the box keeps the focus. */
function keysOf(list, submit) {
  const { suggestions, chosen, choose, close } = list;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  return (event) => {
    if (steps[event.key] && suggestions.length) {
      event.preventDefault();
      const count = suggestions.length + 1;
      choose(((chosen + 1 + steps[event.key] + count) % count) - 1);
    } else if (event.key === 'Escape') {
      if (suggestions.length) event.preventDefault();
      else event.target.blur();
      close();
    } else if (event.key === 'Enter' && chosen >= 0) {
      event.preventDefault();
      submit(suggestions[chosen]);
    }
  };
}

/** `onChange` gets the next query; `onPictures` gets files that were chosen. */
export function Box({ query, placeholder, onChange, onPictures }) {
  const input = useRef(null);
  const files = useRef(null);
  const [text, setText] = useState(query.q);
  const [typing, setTyping] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [suggestions, close] = useSuggestions(text, typing);
  useSlash(input);
  useEffect(() => setText(query.q), [query.q]);

  const submit = (words) => {
    setTyping(false);
    setChosen(-1);
    close();
    setText(words.trim());
    onChange({ ...query, q: words.trim() });
  };
  const type = (event) => {
    setText(event.target.value);
    setTyping(true);
    setChosen(-1);
  };
  const onKey = keysOf({ suggestions, chosen, choose: setChosen, close }, submit);
  const open = typing && suggestions.length > 0;
  const hasChips = ['picture', 'like', 'add', 'subtract'].some((name) => query[name].length > 0);

  return html`<form class="box" role="search" onSubmit=${(event) => (event.preventDefault(), submit(text))}>
    <${Icon} name="search" />
    <div class="box-inside">
      <${Chips} query=${query} onChange=${onChange} />
      <input ref=${input} name="q" type="search" value=${text} placeholder=${hasChips ? 'add words' : placeholder}
        aria-label="Search" autocomplete="off" autocapitalize="off" spellcheck=${false} enterkeyhint="search"
        role="combobox" aria-autocomplete="list" aria-controls="suggestions" aria-expanded=${open ? 'true' : 'false'}
        aria-activedescendant=${chosen >= 0 ? `suggestion-${chosen}` : undefined}
        onInput=${type} onKeyDown=${onKey} onBlur=${() => setTyping(false)} />
    </div>
    ${(text || hasChips) && html`<button type="button" class="plain icon-only" aria-label="Clear"
      onClick=${() => (onChange({ ...query, q: '', picture: [], like: [], add: [], subtract: [] }), setText(''), input.current.focus())}>
      <${Icon} name="close" size=${16} /></button>`}
    ${onPictures && html`<button type="button" class="plain icon-only" onClick=${() => files.current.click()}
        aria-label="Search with a picture" title="Search with a picture: choose, drop or paste one"><${Icon} name="picture" /></button>
      <input ref=${files} type="file" accept="image/*" hidden onChange=${(event) => {
        onPictures([...event.target.files]);
        event.target.value = '';
      }} />`}
    <ul id="suggestions" role="listbox" aria-label="From the captions" hidden=${!open}>
      ${suggestions.map((one, index) => html`<${Suggestion} key=${one} id=${`suggestion-${index}`} text=${one} typed=${text}
        selected=${index === chosen} onPick=${submit} />`)}
    </ul>
    <kbd class="slash" aria-hidden="true">/</kbd>
  </form>`;
}
