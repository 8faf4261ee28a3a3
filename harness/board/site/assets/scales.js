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
