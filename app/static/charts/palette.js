// The theme's colours as a canvas needs them, read from the tokens, and the hatches made of them.
const NAMES = ["p50", "p95", "p99", "band", "before", "out-ok", "out-ok-line", "out-4xx", "out-5xx", "grid", "line-strong", "text",
  "text-2", "text-3", "surface", "ok", "info", "warning", "error", "critical",
  "heat-1", "heat-2", "heat-3", "heat-4", "heat-5", "heat-6", "heat-7", "heat-8"];

export const colour = {};

// The browser resolves light-dark() and var() only on an element.
export function readColours() {
  const probe = document.body.appendChild(document.createElement("i"));
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    colour[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

// Slanted lines over nothing, for gaps.
export function hatch(context, stroke) {
  const size = 6;
  const pen = tile(size);
  slant(pen, stroke, size, 1);
  return context.createPattern(pen.canvas, "repeat");
}

// Slanted lines over a colour, for server errors.
export function hatchedFill(context, fill, stroke) {
  const size = 5;
  const pen = tile(size);
  pen.fillStyle = fill;
  pen.fillRect(0, 0, size, size);
  pen.globalAlpha = 0.55;
  slant(pen, stroke, size, 1.5);
  return context.createPattern(pen.canvas, "repeat");
}

function tile(size) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  return canvas.getContext("2d");
}

function slant(pen, stroke, size, width) {
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
}
