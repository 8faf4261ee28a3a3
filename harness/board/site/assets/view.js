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
