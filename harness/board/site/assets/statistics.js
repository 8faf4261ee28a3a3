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
