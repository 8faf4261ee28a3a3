// DET curves of the rows picked, one for each record, on the scale of the normal distribution.
const COLOURS = 8;
const DET_FRAME = { width: 400, height: 400, left: 46, right: 12, top: 12, bottom: 42 };
const DET_GAP = 26;
const WORST = 0.26;

function detFigure(view, picked) {
  const det = view.data.det;
  const known = picked.filter((row) => det && det.rows[row]);
  if (!known.length) return null;
  const [x, y] = detScales(det, known);
  const names = { x: "false alarms (%)", y: "misses (%)" };
  const label = `DET curves of ${counted(known.length, "entry", "entries")}: misses against false alarms. The table below names points of them.`;
  const picture = framed(label, x, y, names, DET_FRAME);
  picture.setAttribute("role", "img");
  const inner = window_(DET_FRAME);
  const far = [x.low, x.high];
  inner.append(drawn("path", { class: "diagonal", d: pathOf(far.map((each) => [x.place(each), y.place(each)])) }));
  for (const row of known) {
    for (const curve of det.rows[row]) inner.append(...detCurve(curve, det.steps, x, y, picked.indexOf(row)));
  }
  picture.append(inner);
  return element("div", { class: "det" }, element("h4", {}, "DET curves"), element("figure", {}, picture, element("figcaption", { class: "quiet" }, detNote(view, picked, known))), detTable(view, picked, known));
}

function detScales(det, rows) {
  const curves = rows.flatMap((row) => det.rows[row]);
  const least = Math.min(...curves.flatMap((curve) => [...curve.x, ...curve.y])) / det.steps;
  const worst = Math.max(...curves.flatMap((curve) => curve.least)) / det.steps;
  const low = Math.max(-3.8, Math.min(least, -1.7));
  const high = Math.max(WORST, Math.min(worst + 0.3, 1.3));
  const ticks = det.ticks.map(([at, text]) => ({ at: at / det.steps, label: text })).filter((tick) => tick.at >= low && tick.at <= high);
  const right = DET_FRAME.width - DET_FRAME.right;
  const bottom = DET_FRAME.height - DET_FRAME.bottom;
  return [linear(low, high, DET_FRAME.left, right), linear(low, high, bottom, DET_FRAME.top)].map((scale) => ({ ...scale, ticks: apart(ticks, scale) }));
}

// Ticks whose names do not run into each other.
function apart(ticks, scale) {
  const kept = [];
  for (const tick of ticks) {
    const last = kept[kept.length - 1];
    if (!last || Math.abs(scale.place(tick.at) - scale.place(last.at)) >= DET_GAP) kept.push(tick);
  }
  return kept;
}

function detCurve(curve, steps, x, y, colour) {
  const style = `s${colour % COLOURS}${colour >= COLOURS ? " dash" : ""}`;
  const points = curve.x.map((each, i) => [x.place(each / steps), y.place(curve.y[i] / steps)]);
  const [cx, cy] = [x.place(curve.least[0] / steps), y.place(curve.least[1] / steps)].map(round);
  return [drawn("path", { class: `line ${style}`, d: pathOf(points) }), drawn("circle", { class: `least ${style}`, cx, cy, r: 3.5 })];
}

function detNote(view, picked, known) {
  const missing = picked.length - known.length;
  const without = missing ? ` No curve is published of ${counted(missing, "picked entry", "picked entries")}.` : "";
  return `A curve for each record; rings: where minDCF is reached.${without}`;
}

function detTable(view, picked, known) {
  const det = view.data.det;
  const head = element("tr", {}, element("th", { scope: "col", class: "entry" }, "entry"), ...det.at.map((at) => element("th", { scope: "col", class: "n" }, `misses % at ${at} % false alarms`)));
  const lines = known.map((row) => element("tr", {}, element("th", { scope: "row", class: "entry" }, keyOf(picked.indexOf(row)), isolated(view.data.rows[row].name)), ...det.at.map((_, i) => element("td", { class: "n" }, detMiss(det.rows[row], i)))));
  return scrolled(`Points of the DET curves: ${view.title}`, element("table", { class: "grid" }, element("thead", {}, head), element("tbody", {}, ...lines)));
}

// Of several records, their mean.
function detMiss(curves, place) {
  const sum = curves.reduce((total, curve) => total + curve.miss[place], 0);
  return (sum / curves.length).toFixed(2);
}

function keyOf(colour) {
  return element("span", { class: `key s${colour % COLOURS}${colour >= COLOURS ? " dash" : ""}`, "aria-hidden": "true" });
}

function scrolled(label, table) {
  return element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label }, table);
}
