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
