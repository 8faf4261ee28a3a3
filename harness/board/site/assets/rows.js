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
