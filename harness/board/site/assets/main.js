// The page: its tables, its theme, and the link that holds their state.
const page = { views: [], state: parseState(location.hash) };

function showState(state) {
  page.state = state;
  page.theme = showTheme(state.theme || keptTheme());
  for (const view of page.views) view.show({ ...structuredClone(NOTHING), ...state.tables[view.key] });
}

function writeState({ replace = false } = {}) {
  const tables = {};
  for (const view of page.views) {
    if (formatPart(view.state).length) tables[view.key] = view.state;
  }
  page.state = { ...page.state, tables };
  const link = formatState(page.state) || location.pathname + location.search;
  if (formatState(parseState(location.hash)) === formatState(page.state)) return;
  if (replace) history.replaceState(null, "", link);
  else history.pushState(null, "", link);
}

function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(page.theme) + 1) % THEMES.length];
  keepTheme(theme);
  page.state = { ...page.state, theme };
  page.theme = showTheme(theme);
  writeState({ replace: true });
}

// A link within the page moves there and leaves the rest of its state alone.
function goTo(event) {
  const link = event.target.closest?.('a[href^="#"]');
  const anchor = link && decodeURIComponent(link.hash.slice(1));
  if (!link || !page.views.some((view) => view.section.id === anchor)) return;
  event.preventDefault();
  page.state = { ...page.state, at: anchor };
  writeState();
  arrive();
}

function arrive() {
  const section = page.state.at && document.getElementById(page.state.at);
  if (!section) return;
  section.scrollIntoView();
  section.querySelector("h2")?.focus({ preventScroll: true });
}

function start() {
  page.views = [...document.querySelectorAll("section.board")].map((section) => new View(section, writeState));
  const theme = document.querySelector("button.theme");
  theme.hidden = false;
  theme.addEventListener("click", nextTheme);
  document.addEventListener("click", goTo);
  window.addEventListener("popstate", () => showState(parseState(location.hash)));
  for (const each of document.querySelectorAll("details.head")) each.open = !matchMedia("(max-width: 40rem)").matches;
  showState(page.state);
  document.documentElement.classList.add("ready");
  if (page.state.at) arrive();
}

document.documentElement.classList.add("js");
showTheme(page.state.theme || keptTheme());
document.addEventListener("DOMContentLoaded", start);
globalThis.board = { twoSidedP, tQuantile, holm, page };
