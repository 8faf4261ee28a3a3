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
