// Conditions as facets choose them, to and from the server's language: `class in (port, "river bank") and year >= 1999`.
// A condition that facets could not have chosen is left as text.

const PLAIN = /^[\p{L}_][\p{L}\p{N}_.\-/]*$/u;
const RESERVED = new Set(['and', 'or', 'not', 'in', 'exists', 'true', 'false']);
const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|(>=|<=|=|[(),])|([^\s"(),=<>!]+))/gy;

const quoted = (text) =>
  PLAIN.test(text) && !RESERVED.has(text.toLowerCase()) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`;
const operand = (value) => (typeof value === 'string' ? quoted(value) : String(value));

/** Text of `Map(field → {values} | {min, max})`. */
export function filterText(choices) {
  const clauses = [];
  for (const [field, choice] of choices) {
    const name = quoted(field);
    if (choice.values?.length === 1) clauses.push(`${name} = ${operand(choice.values[0])}`);
    else if (choice.values?.length) clauses.push(`${name} in (${choice.values.map(operand).join(', ')})`);
    if (choice.min !== undefined) clauses.push(`${name} >= ${choice.min}`);
    if (choice.max !== undefined) clauses.push(`${name} <= ${choice.max}`);
  }
  return clauses.join(' and ');
}

/** The choices that a text stands for, or null where it says more than facets can. */
export function choicesOf(text) {
  const tokens = tokensOf(text);
  if (!tokens) return null;
  const choices = new Map();
  while (tokens.length) {
    if (!takeClause(tokens, choices)) return null;
    if (tokens.length && !isWord(tokens.shift(), 'and')) return null;
  }
  return choices;
}

function tokensOf(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const found = TOKEN.exec(text);
    if (!found) return null;
    const [, inQuotes, sign, plain] = found;
    if (inQuotes !== undefined) tokens.push({ text: inQuotes.replace(/\\(.)/g, '$1') });
    else tokens.push(sign ? { sign } : { text: plain, plain: true });
  }
  return tokens;
}

const isWord = (token, word) => token?.plain && token.text.toLowerCase() === word;

function takeClause(tokens, choices) {
  const field = tokens.shift();
  const how = tokens.shift();
  if (field?.text === undefined || isWord(field, 'not')) return false;
  if (isWord(how, 'in')) return takeList(tokens, choices, field.text);
  const value = tokens.shift();
  if (!how?.sign || value?.text === undefined) return false;
  return choose(choices, field.text, how.sign, valueOf(value));
}

function choose(choices, field, sign, value) {
  const choice = choices.get(field) ?? {};
  if (sign === '=' && !choices.has(field)) choices.set(field, { values: [value] });
  else if (sign === '>=' && typeof value === 'number') choices.set(field, { ...choice, min: value });
  else if (sign === '<=' && typeof value === 'number') choices.set(field, { ...choice, max: value });
  else return false;
  return true;
}

function takeList(tokens, choices, field) {
  if (tokens.shift()?.sign !== '(' || choices.has(field)) return false;
  const values = [];
  for (;;) {
    const value = tokens.shift();
    if (value?.text === undefined) return false;
    values.push(valueOf(value));
    const sign = tokens.shift()?.sign;
    if (sign === ')') break;
    if (sign !== ',') return false;
  }
  choices.set(field, { values });
  return true;
}

function valueOf({ text, plain }) {
  if (!plain) return text;
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
