// The tools above a table: the text filter, a menu for each facet, the columns, a count.
function tools(view) {
  const search = element("input", { type: "search", placeholder: "Filter rows", "aria-label": "Filter rows by text", autocomplete: "off", spellcheck: "false" });
  // What was typed is read at once: a click meanwhile shows the state, which has not heard of it.
  const look = later((text) => view.change({ text }, { replace: true }), 60);
  search.addEventListener("input", () => look(search.value));
  const facets = view.data.facets.map((name, place) => facetMenu(view, name, place)).filter(Boolean);
  const columns = columnMenu(view);
  const reset = button("Reset", () => view.change(structuredClone(NOTHING)), { class: "reset" });
  const count = element("p", { class: "count", role: "status" });
  view.tools.append(search, ...facets.map((each) => each.menu), columns.menu, reset, count);
  view.tools.hidden = false;
  return {
    show(state, shown, all) {
      if (search.value !== state.text && document.activeElement !== search) search.value = state.text;
      for (const each of facets) each.show(state);
      columns.show();
      count.textContent = shown === all ? counted(all, "row") : `${shown.toLocaleString("en")} of ${counted(all, "row")}`;
      reset.hidden = JSON.stringify(state) === JSON.stringify(NOTHING);
    },
  };
}

// A facet with one value tells nothing apart.
function facetMenu(view, name, place) {
  const numbers = new Map();
  for (const row of view.data.rows) numbers.set(row.facets[place], (numbers.get(row.facets[place]) || 0) + 1);
  if (numbers.size < 2) return null;
  const values = [...numbers.keys()].sort(COLLATOR.compare);
  const boxes = new Map(values.map((value) => [value, checkbox(() => change())]));
  const lines = values.map((value) => element("label", {}, boxes.get(value), isolated(value), element("span", { class: "quiet" }, String(numbers.get(value)))));
  const menu = dropdown(name, lines);
  const change = () => {
    const chosen = values.filter((value) => boxes.get(value).checked);
    const { [name]: _, ...others } = view.state.facets;
    view.change({ facets: chosen.length ? { ...others, [name]: chosen } : others });
  };
  return {
    menu,
    show(state) {
      const chosen = state.facets[name] || [];
      for (const [value, box] of boxes) box.checked = chosen.includes(value);
      menu.classList.toggle("on", chosen.length > 0);
      menu.firstChild.textContent = chosen.length ? `${name}: ${chosen.length}` : name;
    },
  };
}

function columnMenu(view) {
  const chosen = view.data.columns.filter((column) => !FIXED.has(column.key));
  const boxes = new Map(chosen.map((column) => [column.key, checkbox(() => change())]));
  const menu = dropdown("columns", chosen.map((column) => element("label", {}, boxes.get(column.key), column.title)));
  const change = () => {
    const shown = chosen.map((column) => column.key).filter((key) => boxes.get(key).checked);
    const usual = chosen.filter((column) => column.shown).map((column) => column.key);
    view.change({ columns: shown.join() === usual.join() ? null : shown });
  };
  return {
    menu,
    show() {
      for (const [key, box] of boxes) box.checked = view.rows.shownColumns.has(key);
      menu.classList.toggle("on", view.state.columns !== null);
    },
  };
}

function checkbox(act) {
  const made = element("input", { type: "checkbox" });
  made.addEventListener("change", act);
  return made;
}

// Closed by Escape, or when the focus or the pointer goes elsewhere.
function dropdown(name, lines) {
  const menu = element("details", { class: "menu" }, element("summary", {}, name), element("div", { role: "group", "aria-label": name }, ...lines));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.firstChild.focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  return menu;
}
