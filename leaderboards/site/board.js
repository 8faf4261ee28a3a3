"use strict";
(() => {
// Light, dark, or as the system has it. A link may say which; else the last choice is kept, where
// the browser keeps anything for a page like this one.
const THEMES = ["auto", "light", "dark"];

function keptTheme() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}

function keepTheme(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Pages opened as files, and private windows, may have no storage: the link still says it.
  }
}

function showTheme(theme) {
  const shown = THEMES.includes(theme) ? theme : "auto";
  if (shown === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = shown;
  const button = document.querySelector("button.theme");
  if (button) button.textContent = `Theme: ${shown}`;
  return shown;
}

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

// Student's t distribution, for real degrees of freedom, and Holm's correction.
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];

// C. Lanczos, SIAM Journal on Numerical Analysis 1, 1964; for x of 0.5 and more.
function logGamma(x) {
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

// The regularised incomplete beta function, given x and 1 - x: near 1 the latter is the exacter.
function incompleteBeta(a, b, x, rest) {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, rest, x);
  const scale = logGamma(a + b) - logGamma(a) - logGamma(b);
  return (Math.exp(scale + a * Math.log(x) + b * Math.log(rest)) * betaFraction(a, b, x)) / a;
}

// Its continued fraction by W. J. Lentz's method (Applied Optics 15, 1976).
function betaFraction(a, b, x) {
  const guard = (value) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1));
  let product = d;
  for (let m = 1; m < 10000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    product *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    product *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return product;
}

// The chance of a t at least so far from 0, either way.
function twoSidedP(t, freedom) {
  const square = t * t;
  if (!Number.isFinite(square)) return 0;
  return incompleteBeta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square));
}

// The t that is exceeded, either way, with chance p.
function tQuantile(p, freedom) {
  let low = 0;
  let high = 1;
  while (twoSidedP(high, freedom) > p) high *= 2;
  for (let i = 0; i < 80 && low < high; i++) {
    const middle = (low + high) / 2;
    if (twoSidedP(middle, freedom) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

// S. Holm, Scandinavian Journal of Statistics 6, 1979: gives what adjusts one of the p values.
function holm(values) {
  const sorted = Float64Array.from(values).sort();
  const adjusted = new Float64Array(sorted.length);
  let most = 0;
  for (let i = 0; i < sorted.length; i++) {
    most = Math.max(most, Math.min(1, sorted[i] * (sorted.length - i)));
    adjusted[i] = most;
  }
  return (p) => adjusted[firstNotBelow(sorted, p)];
}

function firstNotBelow(sorted, value) {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The paired difference of two rows, as the table's ranks take it: the jackknife's standard error
// of the difference on the same units, the pooled spread of seeds joined by Satterthwaite's rule.
const ROUNDING = 1e-12;
const SLICE = 20000;

class Comparisons {
  constructor(data) {
    this.reason = data.reason || "";
    if (this.reason) return;
    this.places = new Map(data.rows.map((row, place) => [row, place]));
    this.estimates = data.estimates;
    this.seeds = data.seeds;
    this.spread = data.spread;
    this.left = data.left.map((values) => centred(values, 10 ** data.power));
    this.units = data.left[0].length;
    this.count = (data.rows.length * (data.rows.length - 1)) / 2;
    this.adjust = null;
  }

  has(row) {
    return !this.reason && this.places.has(row);
  }

  // Of rows by their numbers in the table: the first less the second, its interval, p alone.
  of(first, second) {
    const found = this.pair(this.places.get(first), this.places.get(second));
    const reach = tQuantile(0.05, found.freedom) * found.error;
    return { ...found, low: found.value - reach, high: found.value + reach };
  }

  pair(i, k) {
    const value = this.estimates[i] - this.estimates[k];
    const test = jackknifeError(this.left[i], this.left[k]);
    const { error, freedom } = this.joined(test, i, k);
    const differ = Math.abs(value) > ROUNDING;
    const p = error > ROUNDING ? twoSidedP(value / error, freedom) : Number(!differ);
    return { value, error, freedom, p };
  }

  joined(test, i, k) {
    const alone = { error: test, freedom: this.units - 1 };
    if (!this.spread) return alone;
    const seeds = this.seedVariance(i) + this.seedVariance(k);
    const square = test * test;
    const parts = (square * square) / (this.units - 1) + (seeds * seeds) / this.spread.freedom;
    if (!(parts > 0)) return { error: Math.sqrt(square + seeds), freedom: this.units - 1 };
    return { error: Math.sqrt(square + seeds), freedom: (square + seeds) ** 2 / parts };
  }

  seedVariance(i) {
    const value = this.estimates[i];
    const slope = this.spread.scale === "logit" ? value * (1 - value) : 1;
    return this.seeds[i] ? (this.spread.sd * slope) ** 2 / this.seeds[i] : 0;
  }

  // Holm's correction is over all pairs of the table: in slices, so that the page stays alive.
  async adjusting() {
    this.adjust ??= this.allPairs().then(holm);
    return this.adjust;
  }

  async allPairs() {
    const found = new Float64Array(this.count);
    let at = 0;
    for (let i = 0; i < this.left.length; i++) {
      for (let k = i + 1; k < this.left.length; k++) {
        found[at++] = this.pair(i, k).p;
        if (at % SLICE === 0) await new Promise((resume) => setTimeout(resume));
      }
    }
    return found;
  }
}

function centred(values, scale) {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  return Float64Array.from(values, (each) => (each - mean) * scale);
}

// B. Efron and C. Stein, Annals of Statistics 9, 1981; of values that have no mean.
function jackknifeError(first, second) {
  let squares = 0;
  for (let s = 0; s < first.length; s++) squares += (first[s] - second[s]) ** 2;
  return Math.sqrt((squares * (first.length - 1)) / first.length);
}

// Elements of the page, always with text as text.
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function button(text, act, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

function isolated(text) {
  return element("bdi", {}, text);
}

function counted(number, noun, many = `${noun}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? noun : many}`;
}

// A number with its sign, as differences are written.
function signed(value, decimals) {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

function probability(p) {
  if (p < 0.001) return "< 0.001";
  return p.toFixed(p < 0.1 ? 3 : 2);
}

function later(act, wait) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), wait);
  };
}

// From values to places in a picture, with the values that an axis names.
function linear(low, high, from, to) {
  const place = (value) => from + ((value - low) / (high - low)) * (to - from);
  return { place, ticks: linearTicks(low, high, 5), low, high };
}

function logarithmic(low, high, from, to) {
  const inner = linear(Math.log(low), Math.log(high), from, to);
  return { place: (value) => inner.place(Math.log(value)), ticks: logTicks(low, high), low, high };
}

function linearTicks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-12); i++) {
    found.push({ at: i * step, label: written(i * step, decimals) });
  }
  return found;
}

function logTicks(low, high) {
  const factors = high / low > 200 ? [1] : high / low > 20 ? [1, 3] : [1, 2, 5];
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of factors) {
      const at = factor * 10 ** power;
      if (at >= low && at <= high) found.push({ at, label: written(at, Math.max(0, -power)) });
    }
  }
  return found.length > 1 ? found : linearTicks(low, high, 4);
}

function written(value, decimals) {
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

// The ends of an axis: a little beyond the values, and never so near that noise looks like news.
function ends(values, least) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = Math.max(high - low, least * Math.abs(high), 1e-9);
  const middle = (low + high) / 2;
  const start = middle - span * 0.58;
  return [low >= 0 ? Math.max(0, start) : start, middle + span * 0.58];
}

function logEnds(values) {
  const factor = (Math.max(...values) / Math.min(...values)) ** 0.08;
  return [Math.min(...values) / factor, Math.max(...values) * factor];
}

// The frame of a picture: rules, axes, their names.
const FRAME = { width: 400, height: 280, left: 46, right: 12, top: 12, bottom: 42 };

function framed(label, x, y, names, size = FRAME) {
  const bottom = size.height - size.bottom;
  const right = size.width - size.right;
  const picture = drawn("svg", { class: "chart", viewBox: `0 0 ${size.width} ${size.height}`, role: "group", "aria-label": label });
  const axes = drawn("g", { "aria-hidden": "true" });
  for (const tick of x.ticks) {
    const at = round(x.place(tick.at));
    axes.append(
      drawn("path", { class: "rule", d: `M${at} ${size.top}V${bottom}` }),
      drawn("text", { x: at, y: bottom + 15, "text-anchor": "middle" }, tick.label),
    );
  }
  for (const tick of y.ticks) {
    const at = round(y.place(tick.at));
    axes.append(
      drawn("path", { class: "rule", d: `M${size.left} ${at}H${right}` }),
      drawn("text", { x: size.left - 6, y: at + 4, "text-anchor": "end" }, tick.label),
    );
  }
  axes.append(
    drawn("path", { class: "edge", d: `M${size.left} ${size.top}V${bottom}H${right}` }),
    drawn("text", { x: (size.left + right) / 2, y: size.height - 8, "text-anchor": "middle" }, names.x),
    drawn("text", { transform: `translate(11 ${(size.top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, names.y),
  );
  picture.append(axes);
  return picture;
}

// A part of a picture beyond whose edges nothing shows.
function window_(size = FRAME) {
  const width = size.width - size.left - size.right;
  const height = size.height - size.top - size.bottom;
  const box = { x: size.left, y: size.top, width, height };
  return drawn("svg", { ...box, viewBox: `${size.left} ${size.top} ${width} ${height}`, overflow: "hidden", "aria-hidden": "true" });
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function pathOf(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${round(x)} ${round(y)}`).join("");
}

// What a good figure costs: a picture for each cost. Points are buttons that pick their rows; the
// arrow keys go from point to point, so that a picture is one stop on the way through the page.
class Pareto {
  constructor(view, chart, environment) {
    this.view = view;
    this.chart = chart;
    this.nodes = new Map();
    const metric = view.data.metric;
    const title = `${metric.title} against ${chart.title}`;
    this.axes = this.scales();
    const label = `${title} on ${environment}; ${counted(chart.points.length, "entry", "entries")}. Arrow keys go from point to point.`;
    this.picture = framed(label, this.axes.x, this.axes.y, {
      x: `${chart.title} (${chart.unit}) ${chart.more ? "→ better" : "← better"}`,
      y: `${metric.title}${metric.unit ? ` (${metric.unit})` : ""} ${metric.higher ? "→ better" : "← better"}`,
    });
    this.caption = element("figcaption", {}, this.resting());
    this.draw();
    this.figure = element("figure", {}, this.picture, this.caption);
  }

  scales() {
    const xs = this.chart.points.map((point) => point.x);
    const ys = this.chart.points.flatMap((point) => [point.y, ...point.ends.filter((end) => end !== null)]);
    const right = FRAME.width - FRAME.right;
    const bottom = FRAME.height - FRAME.bottom;
    const spread = this.chart.log ? logarithmic : linear;
    const wide = this.chart.log ? logEnds(xs) : ends(xs, 0.2);
    return {
      x: spread(...wide, FRAME.left, right),
      y: linear(...ends(ys, 0.02), bottom, FRAME.top),
    };
  }

  draw() {
    const { x, y } = this.axes;
    const inner = window_();
    inner.append(drawn("path", { class: "front", d: pathOf(this.stairs()) }));
    for (const point of this.chart.points) {
      if (point.ends.every((end) => end !== null)) {
        const [low, high] = point.ends.map((end) => round(y.place(end)));
        inner.append(drawn("path", { class: "ends", d: `M${round(x.place(point.x))} ${low}V${high}` }));
      }
    }
    this.picture.append(inner);
    this.ordered = [...this.chart.points].sort((one, other) => one.x - other.x || one.y - other.y);
    for (const point of this.ordered) this.picture.append(this.node(point));
    this.label = drawn("text", { class: "name", "aria-hidden": "true" });
    this.picture.append(this.label);
    this.rove(this.ordered[0]);
  }

  // The best value to be had for a cost, or for a better one.
  stairs() {
    const { x, y } = this.axes;
    const front = this.chart.points.filter((point) => point.front).sort((a, b) => a.x - b.x);
    if (this.chart.more) front.reverse();
    const found = [];
    for (const point of front) {
      const at = [x.place(point.x), y.place(point.y)];
      if (found.length) found.push([at[0], found[found.length - 1][1]]);
      found.push(at);
    }
    return found;
  }

  node(point) {
    const at = { cx: round(this.axes.x.place(point.x)), cy: round(this.axes.y.place(point.y)) };
    const node = drawn(
      "g",
      { class: `point${point.front ? " front-point" : ""}`, role: "button", tabindex: "-1", "aria-pressed": "false", "aria-label": this.said(point) },
      drawn("circle", { ...at, r: 12, fill: "transparent" }),
      drawn("circle", { class: "ring", ...at, r: 9 }),
      drawn("circle", { class: "dot", ...at, r: 5 }),
    );
    node.addEventListener("click", () => this.view.pick(point.row));
    node.addEventListener("keydown", (event) => this.key(event, point));
    for (const name of ["pointerenter", "focus"]) node.addEventListener(name, () => this.tell(point));
    for (const name of ["pointerleave", "blur"]) node.addEventListener(name, () => this.rest());
    this.nodes.set(point, node);
    return node;
  }

  key(event, point) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (event.key === "Enter" || event.key === " ") this.view.pick(point.row);
    else if (event.key in steps) {
      const count = this.ordered.length;
      const next = this.ordered[(this.ordered.indexOf(point) + steps[event.key] + count) % count];
      this.rove(next);
      this.nodes.get(next).focus();
    } else return;
    event.preventDefault();
  }

  rove(point) {
    for (const [each, node] of this.nodes) node.setAttribute("tabindex", each === point ? "0" : "-1");
  }

  said(point) {
    const { metric } = this.view.data;
    const name = this.view.data.rows[point.row].name;
    const front = point.front ? "; no other entry beats it in both" : "";
    return `${name}: ${metric.title} ${point.y.toFixed(metric.decimals)}${metric.unit ? ` ${metric.unit}` : ""}, ${point.x.toPrecision(3)} ${this.chart.unit}${front}`;
  }

  tell(point) {
    this.caption.replaceChildren(isolated(this.said(point)));
    const x = this.axes.x.place(point.x);
    const right = x < FRAME.width / 2;
    const name = this.view.data.rows[point.row].name;
    this.label.textContent = name.length > 30 ? `${name.slice(0, 29)}…` : name;
    const place = { x: round(x + (right ? 10 : -10)), y: round(this.axes.y.place(point.y) - 8), "text-anchor": right ? "start" : "end" };
    for (const [key, value] of Object.entries(place)) this.label.setAttribute(key, value);
  }

  rest() {
    this.label.textContent = "";
    this.caption.replaceChildren(this.resting());
  }

  resting() {
    const front = "Filled: no other entry beats it in both. Bars: interval.";
    const axis = this.chart.log ? " The cost is on a logarithmic axis." : "";
    const { all, points } = this.chart;
    const some = points.length < all ? ` Drawn: the best ${points.length} of ${counted(all, "entry", "entries")}.` : "";
    return `${front}${axis}${some}`;
  }

  // Rows picked in their colours; those filtered away pale.
  show(colours, hidden) {
    for (const [point, node] of this.nodes) {
      const colour = colours.get(point.row);
      const front = point.front ? " front-point" : "";
      const off = hidden.has(point.row) ? " off" : "";
      const looks = `point${front}${off}${colour === undefined ? "" : ` s${colour % COLOURS}`}`;
      if (node.getAttribute("class") === looks) continue;
      node.setAttribute("class", looks);
      node.setAttribute("aria-pressed", String(colour !== undefined));
    }
  }
}

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

// The rows of a table on the page: sorted, filtered, in the columns that are wanted.
const FIXED = new Set(["rank", "entry"]);
const COLLATOR = new Intl.Collator("en", { numeric: true });

const STEP = 100;

// A browser takes long to lay out thousands of rows, so a table shows so many at first, and more of
// them when its end comes into view; the others are kept aside.
class Rows {
  constructor(view) {
    this.view = view;
    this.columns = view.data.columns;
    this.table = view.section.querySelector("table.main");
    this.heads = [...this.table.tHead.rows[0].cells];
    this.bodies = [...this.table.tBodies].map((body) => ({ body, title: [...body.querySelectorAll("tr.group")], shown: [] }));
    this.rows = [];
    this.groups = [];
    for (const place of this.bodies) {
      for (const row of place.body.querySelectorAll("tr[data-row]")) {
        this.rows[Number(row.dataset.row)] = row;
        this.groups[Number(row.dataset.row)] = place;
      }
    }
    this.boxes = this.rows.map((row) => row.querySelector("input.pick"));
    this.followers = [...view.section.querySelectorAll("table.further tr[data-row]")];
    this.texts = view.data.rows.map((row) => [row.name, row.reason, ...named(row, view.data)].join("\n").toLowerCase());
    this.shownColumns = new Set(this.columns.map((column) => column.key));
    this.hidden = new Set();
    this.picked = new Set();
    this.sorted = "";
    this.order = this.rows.map((_, number) => number);
    this.limit = STEP;
    this.heads.forEach((head, place) => this.makeSortable(head, this.columns[place]));
    this.more = this.makeMore();
  }

  makeSortable(head, column) {
    const made = button("", () => this.view.change({ sort: this.nextSort(column) }));
    made.append(...head.childNodes);
    head.append(made);
  }

  makeMore() {
    const scroll = this.table.closest(".scroll");
    const more = element("p", { class: "further-rows", hidden: true }, button("", () => this.grow()));
    scroll.append(more);
    const watch = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && this.grow(), { root: scroll });
    watch.observe(more);
    addEventListener("beforeprint", () => this.grow(Infinity));
    return more;
  }

  grow(by = STEP) {
    this.limit += by;
    this.place();
  }

  // First the way that puts the best on top, then the other, then the table's own order.
  nextSort(column) {
    const sort = this.view.state.sort;
    if (!sort || sort.key !== column.key) return { key: column.key, descending: column.higher };
    return sort.descending === column.higher ? { key: column.key, descending: !column.higher } : null;
  }

  sort(sort) {
    const place = sort ? this.columns.findIndex((column) => column.key === sort.key) : -1;
    const wanted = place < 0 ? "" : `${sort.descending ? "-" : ""}${sort.key}`;
    if (wanted === this.sorted) return;
    this.sorted = wanted;
    this.limit = STEP;
    this.heads.forEach((head, i) => {
      if (i === place) head.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.order = this.ordered(place, sort);
  }

  ordered(place, sort) {
    const numbers = this.rows.map((_, number) => number);
    if (place < 0) return numbers;
    const { values, numeric } = this.columns[place];
    const way = sort.descending ? -1 : 1;
    const compare = numeric ? (one, other) => one - other : COLLATOR.compare;
    return numbers.sort((one, other) => {
      const [a, b] = [values[one], values[other]];
      if (a === null || b === null) return (a === null) - (b === null) || one - other;
      return way * compare(a, b) || one - other;
    });
  }

  // Rows that hold every word of the text, and one of the chosen values of every facet.
  filter(state) {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const facets = this.view.data.facets.map((name) => state.facets[name] && new Set(state.facets[name]));
    const fits = (row, number) =>
      words.every((word) => this.texts[number].includes(word)) &&
      facets.every((chosen, place) => !chosen || chosen.has(row.facets[place]));
    const wanted = JSON.stringify([state.text, state.facets]);
    if (wanted === this.filtered) return;
    this.filtered = wanted;
    this.limit = STEP;
    this.hidden = new Set(this.order.filter((number) => !fits(this.view.data.rows[number], number)));
    for (const row of this.followers) {
      const hidden = this.hidden.has(Number(row.dataset.row));
      if (row.hidden !== hidden) row.hidden = hidden;
    }
  }

  // Put the rows where they are seen; nothing moves where they are there already.
  place() {
    const wanted = new Map(this.bodies.map((place) => [place, []]));
    const fitting = this.order.filter((number) => !this.hidden.has(number));
    let room = this.limit;
    for (const place of this.bodies) {
      const own = fitting.filter((number) => this.groups[number] === place).slice(0, Math.max(0, room));
      wanted.set(place, own);
      room -= own.length;
    }
    for (const [place, numbers] of wanted) {
      place.body.hidden = numbers.length === 0;
      if (same(numbers, place.shown)) continue;
      place.shown = numbers;
      place.body.replaceChildren(...place.title, ...numbers.map((number) => this.rows[number]));
    }
    const left = fitting.length - Math.min(this.limit, fitting.length);
    this.more.hidden = left === 0;
    this.more.firstChild.textContent = `Show more: ${counted(left, "further row")}`;
  }

  choose(keys) {
    const wanted = keys && new Set(keys);
    this.columns.forEach((column, place) => {
      const shown = FIXED.has(column.key) || (wanted ? wanted.has(column.key) : column.shown);
      if (shown === this.shownColumns.has(column.key)) return;
      if (shown) this.shownColumns.add(column.key);
      else this.shownColumns.delete(column.key);
      for (const row of [...this.rows, this.table.tHead.rows[0]]) row.cells[place].hidden = !shown;
    });
    for (const place of this.bodies) {
      for (const title of place.title) title.cells[0].colSpan = this.shownColumns.size;
    }
  }

  mark(picked) {
    const chosen = new Set(picked);
    for (const number of new Set([...chosen, ...this.picked])) {
      this.rows[number].classList.toggle("picked", chosen.has(number));
      if (this.boxes[number]) this.boxes[number].checked = chosen.has(number);
    }
    this.picked = chosen;
  }

  cell(number, place) {
    return this.rows[number].cells[place];
  }
}

// What a row is called by its facets; every row has a state, so no text looks for it.
function named(row, data) {
  return row.facets.filter((value, place) => value !== data.none && data.facets[place] !== "state");
}

function same(one, other) {
  return one.length === other.length && one.every((each, i) => each === other[i]);
}

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

// One table of the page with its tools, its comparison and its pictures, as its state has them.
class View {
  constructor(section, changed) {
    this.section = section;
    this.key = section.dataset.key;
    this.data = JSON.parse(document.getElementById(`${this.key}-data`).textContent);
    this.title = section.querySelector("h2").textContent;
    this.changed = changed;
    this.state = structuredClone(NOTHING);
    this.numbers = new Map(this.data.rows.map((row, number) => [row.key, number]));
    this.tools = section.querySelector(".tools");
    this.panel = section.querySelector(".compare");
    this.pairs = new Comparisons(this.data.pairs);
    this.rows = new Rows(this);
    this.bar = tools(this);
    this.dock = this.makeDock();
    this.charts = this.makeCharts();
    this.rows.table.addEventListener("change", (event) => {
      if (event.target.matches("input.pick")) this.pick(this.numbers.get(event.target.value));
    });
    section.querySelector(".none .clear").addEventListener("click", () => this.change({ text: "", facets: {} }));
  }

  makeDock() {
    const said = element("span");
    const go = button("Compare", () => this.panel.querySelector("h3").focus());
    go.addEventListener("click", () => this.panel.scrollIntoView({ block: "start" }));
    const dock = element("div", { class: "dock", hidden: true }, said, go, button("Clear", () => this.change({ picked: [] })));
    this.panel.before(dock);
    return { dock, said };
  }

  makeCharts() {
    const place = this.section.querySelector(".efficiency");
    const made = [];
    for (const each of this.data.tradeoffs) {
      const charts = each.charts.map((chart) => new Pareto(this, chart, each.environment));
      const several = this.data.tradeoffs.length > 1;
      place.append(
        element("h3", {}, several ? `Efficiency on ${each.environment}` : "Efficiency"),
        element("div", { class: "charts" }, ...charts.map((chart) => chart.figure)),
      );
      made.push(...charts);
    }
    return made;
  }

  pick(number) {
    const { key } = this.data.rows[number];
    const picked = this.state.picked;
    this.change({ picked: picked.includes(key) ? picked.filter((each) => each !== key) : [...picked, key] });
  }

  change(part, how = {}) {
    this.show({ ...this.state, ...part });
    this.changed(how);
  }

  // A link may be older than the table: what the table does not have is passed over.
  show(state) {
    this.state = state;
    const picked = state.picked.map((key) => this.numbers.get(key)).filter((number) => number !== undefined && this.data.rows[number].group !== "failed");
    this.rows.choose(state.columns);
    this.rows.sort(state.sort);
    this.rows.filter(state);
    this.rows.place();
    this.rows.mark(picked);
    const all = this.data.rows.length;
    const shown = all - this.rows.hidden.size;
    this.section.querySelector(".none").hidden = shown > 0;
    this.bar.show(state, shown, all);
    this.showComparison(picked);
    const colours = new Map(picked.map((number, place) => [number, place]));
    for (const chart of this.charts) chart.show(colours, this.rows.hidden);
  }

  showComparison(picked) {
    const wanted = JSON.stringify([picked, this.state.columns]);
    if (wanted === this.compared) return;
    this.compared = wanted;
    this.panel.hidden = !picked.length;
    this.dock.dock.hidden = !picked.length;
    this.dock.said.textContent = `${picked.length} picked`;
    this.panel.replaceChildren(...(picked.length ? comparison(this, picked) : []));
  }
}

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
})();
