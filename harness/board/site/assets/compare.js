// The rows picked side by side: every number, and what else is shown, against that of the first one picked.
function comparison(view, picked) {
  const title = element("h3", { tabindex: "-1" }, `Comparison of ${counted(picked.length, "entry", "entries")}`);
  const head = element("header", {}, title, button("Clear", () => view.change({ picked: [] })));
  const parts = [head, valueTable(view, picked)];
  if (picked.length > 1) parts.push(...differences(view, picked));
  return [...parts, detFigure(view, picked)].filter(Boolean);
}

function valueTable(view, picked) {
  const heads = picked.map((row, place) => entryHead(view, picked, row, place));
  const top = element("tr", {}, element("th", { scope: "col", class: "entry" }, picked.length > 1 ? "differences from the first" : "value"), ...heads);
  const lines = view.data.columns.flatMap((column, place) => {
    if (column.key === "entry" || !(column.compared || view.rows.shownColumns.has(column.key))) return [];
    return [valueLine(view, picked, column, place)];
  });
  return scrolled(`Values side by side: ${view.title}`, element("table", { class: "grid" }, element("thead", {}, top), element("tbody", {}, ...lines)));
}

function entryHead(view, picked, row, place) {
  const name = view.data.rows[row].name;
  const keys = picked.map((each) => view.data.rows[each].key);
  const first = [keys[place], ...keys.filter((_, i) => i !== place)];
  const swap = place ? button("compare with this", () => view.change({ picked: first }), { "aria-label": `compare with this: ${name}` }) : null;
  const drop = button("remove", () => view.change({ picked: keys.filter((_, i) => i !== place) }), { "aria-label": `remove ${name}` });
  return element("th", { scope: "col" }, keyOf(place), isolated(name), element("br"), swap, swap ? " " : null, drop);
}

function valueLine(view, picked, column, place) {
  const cells = picked.map((row, turn) => {
    const shown = [...view.rows.cell(row, place).childNodes].filter((node) => node.nodeName !== "svg").map((node) => node.cloneNode(true));
    const difference = turn && alike(view, column, place, row, picked[0]) ? differenceText(column, row, picked[0]) : "";
    return element("td", { class: column.numeric ? "n" : "" }, ...shown, difference ? element("span", { class: "diff" }, difference) : null);
  });
  return element("tr", {}, element("th", { scope: "row", class: "entry" }, column.title), ...cells);
}

// Costs that were not counted alike, as memory measured and predicted, are not set against each other.
function alike(view, column, place, row, first) {
  const note = (number) => view.rows.cell(number, place).querySelector(".note")?.textContent;
  return column.compared !== "ratio" || note(row) === note(first);
}

// Metrics differ by so much; costs are so many times another's.
function differenceText(column, row, first) {
  const [value, other] = [column.values[row], column.values[first]];
  if (!column.compared || value === null || other === null) return "";
  if (column.compared === "difference") return signed((value - other) * column.scale, column.decimals);
  return other > 0 ? `× ${(value / other).toPrecision(3)}` : "";
}

// The primary metric in pairs, by the same rule as the ranks.
function differences(view, picked) {
  const metric = view.data.metric;
  const pairs = view.pairs;
  const [first, ...others] = picked;
  const name = view.data.rows[first].name;
  const title = element("h4", {}, `${metric.title}: differences from `, isolated(name));
  if (pairs.reason) return [title, element("p", { class: "quiet" }, `No difference is tested: ${pairs.reason}.`)];
  const unit = metric.unit === "%" ? "points" : metric.unit;
  const columns = [`difference${unit ? ` (${unit})` : ""}`, "95 % interval", "p, this pair alone", `p after Holm, ${counted(pairs.count, "pair")}`, "told apart at 5 %"];
  const head = element("tr", {}, element("th", { scope: "col", class: "entry" }, "entry"), ...columns.map((text) => element("th", { scope: "col", class: "n" }, text)));
  const lines = others.map((row) => differenceLine(view, row, first));
  const note = `Paired by ${view.data.pairs.unit}: ${counted(pairs.units, view.data.pairs.unit)}, the jackknife's standard error${pairs.spread ? ", the pooled spread of seeds in it" : ""}. Holm's correction is over all pairs of the table, as in its ranks; the interval is of one pair alone.`;
  return [title, scrolled(`Differences in pairs: ${view.title}`, element("table", { class: "grid pairs" }, element("thead", {}, head), element("tbody", {}, ...lines))), element("p", { class: "quiet" }, note)];
}

function differenceLine(view, row, first) {
  const { metric } = view.data;
  const name = element("th", { scope: "row", class: "entry" }, isolated(view.data.rows[row].name));
  if (!view.pairs.has(row) || !view.pairs.has(first)) return element("tr", {}, name, element("td", { colspan: 5 }, "not compared: it has no rank"));
  const found = view.pairs.of(row, first);
  const decimals = metric.decimals + 1;
  const shown = (value) => signed(value * metric.scale, decimals);
  const cells = [shown(found.value), `${shown(found.low)} to ${shown(found.high)}`, probability(found.p), "…", "…"].map((text) => element("td", { class: "n" }, text));
  view.pairs.adjusting().then((adjust) => {
    const p = adjust(found.p);
    cells[3].textContent = probability(p);
    cells[4].textContent = p < 0.05 ? "yes" : "no";
  });
  return element("tr", {}, name, ...cells);
}
