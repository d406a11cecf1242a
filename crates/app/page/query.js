// What is asked, as the address bar holds it: the API's own parameter names, and only what differs from the default.

const LISTS = ['picture', 'like', 'add', 'subtract'];
const TEXTS = ['q', 'mode', 'weight', 'filter', 'min_score', 'index'];
const SWITCHES = ['fold', 'fuzzy', 'fast', 'exact'];

/** Reads `?q=…&mode=…`; what it does not know it leaves out. */
export function parseQuery(search) {
  const parameters = new URLSearchParams(search);
  const query = {};
  for (const name of TEXTS) query[name] = parameters.get(name) ?? '';
  for (const name of LISTS) query[name] = parameters.getAll(name);
  for (const name of SWITCHES) query[name] = parameters.get(name) === 'true';
  return query;
}

/** The parameters of a query, in one order, so that equal queries have equal addresses. */
export function parametersOf(query) {
  const parameters = new URLSearchParams();
  for (const name of TEXTS) if (query[name]) parameters.set(name, query[name]);
  for (const name of LISTS) for (const value of query[name] ?? []) parameters.append(name, value);
  for (const name of SWITCHES) if (query[name]) parameters.set(name, 'true');
  return parameters;
}

/** The address of a query, with a hit opened or not. */
export function addressOf(query, open = null, path = '/') {
  const parameters = parametersOf(query);
  if (open !== null) parameters.set('open', open);
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** Whether anything is asked for, conditions included. */
export const isEmpty = (query) => !asksForSomething(query) && !query.filter;

/** Whether there is something to rank by. */
export const asksForSomething = (query) => Boolean(query.q) || LISTS.some((name) => query[name].length > 0);

/** Whether a picture, or an image already found, is part of what is asked. */
export const hasPicture = (query) => LISTS.some((name) => query[name].length > 0);

/** What a term of `add` or `subtract` is: words, a picture of the index, or an uploaded one. */
export function termOf(value) {
  if (value.startsWith('id:')) return { kind: 'id', value: value.slice(3) };
  if (value.startsWith('picture:')) return { kind: 'picture', value: value.slice(8) };
  return { kind: 'text', value };
}

/** The query with one more value in a list, or one less; captions alone cannot be compared with a picture or a direction. */
export const withTerm = (query, list, value) =>
  query[list].includes(value)
    ? query
    : { ...query, mode: query.mode === 'lexical' ? '' : query.mode, [list]: [...query[list], value] };
export const withoutTerm = (query, list, value) => ({
  ...query,
  [list]: query[list].filter((other) => other !== value),
});
