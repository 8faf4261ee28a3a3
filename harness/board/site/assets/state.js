// What a link holds: the theme, the place on the page, and of each table the sort, the text and the
// facets of its filter, the columns and the rows picked.
const NOTHING = { sort: null, text: "", facets: {}, columns: null, picked: [] };
const LIST = ",";

function parseState(fragment) {
  const state = { theme: null, at: "", tables: {} };
  for (const [key, value] of new URLSearchParams(fragment.replace(/^#/, ""))) {
    const dot = key.indexOf(".");
    if (key === "theme") state.theme = value;
    else if (key === "at") state.at = value;
    else if (dot > 0) parsePart(state, key.slice(0, dot), key.slice(dot + 1), value);
    else if (value === "") state.at = key;
  }
  return state;
}

function parsePart(state, table, name, value) {
  const part = (state.tables[table] ??= structuredClone(NOTHING));
  if (name === "sort") part.sort = parseSort(value);
  else if (name === "text") part.text = value;
  else if (name === "columns") part.columns = parseList(value);
  else if (name === "picked") part.picked = [...new Set(parseList(value))];
  else if (name.startsWith("f-")) (part.facets[name.slice(2)] ??= []).push(value);
}

function parseSort(value) {
  const descending = value.startsWith("-");
  return { key: descending ? value.slice(1) : value, descending };
}

function parseList(value) {
  return value.split(LIST).filter(Boolean);
}

function formatState(state) {
  const found = new URLSearchParams();
  if (state.theme) found.set("theme", state.theme);
  if (state.at) found.set("at", state.at);
  for (const [table, part] of Object.entries(state.tables)) {
    for (const [name, value] of formatPart(part)) found.append(`${table}.${name}`, value);
  }
  const text = found.toString();
  return text ? `#${text}` : "";
}

function formatPart(part) {
  const found = [];
  if (part.sort) found.push(["sort", `${part.sort.descending ? "-" : ""}${part.sort.key}`]);
  if (part.text) found.push(["text", part.text]);
  for (const [facet, values] of Object.entries(part.facets)) {
    for (const value of values) found.push([`f-${facet}`, value]);
  }
  if (part.columns) found.push(["columns", part.columns.join(LIST) || LIST]);
  if (part.picked.length) found.push(["picked", part.picked.join(LIST)]);
  return found;
}
