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
