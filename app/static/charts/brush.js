// Zooming: what is drawn across a chart becomes the window of the whole page, in its address, so back leads back.
// With the keyboard, Enter marks one end at the crosshair and again the other.
import { colour } from "./palette.js";

const LEAST_PX = 6;
let span = null; // { from, to }: Unix seconds, in the order that they were marked

const inside = ({ left, right }, x) => Math.min(right, Math.max(left, x));

export const brush = {
  id: "brush",
  afterDatasetsDraw(chart) {
    if (!span) return;
    const { ctx, chartArea: area, scales: { x } } = chart;
    const [from, to] = [span.from, span.to].map((at) => inside(area, x.getPixelForValue(at))).sort((a, b) => a - b);
    ctx.save();
    ctx.fillStyle = colour.text;
    ctx.globalAlpha = 0.09;
    ctx.fillRect(from, area.top, to - from, area.bottom - area.top);
    ctx.globalAlpha = 0.5;
    ctx.fillRect(from, area.top, 1, area.bottom - area.top);
    ctx.fillRect(to - 1, area.top, 1, area.bottom - area.top);
    ctx.restore();
  },
};

// The page's address with another span; a panel of its own needs no name here, its options stay as they are.
function zoom() {
  const [from, to] = [span.from, span.to].sort((a, b) => a - b);
  const address = new URL(location.href);
  for (const name of ["window", "to", "from"]) address.searchParams.delete(name);
  const iso = (seconds) => new Date(Math.round(seconds) * 1000).toISOString().replace(".000", "");
  address.searchParams.set("from", iso(from));
  address.searchParams.set("to", iso(to));
  address.hash = "";
  location.assign(address);
}

export const isBrushing = () => span !== null;

export function unmark() {
  const was = span;
  span = null;
  return was !== null;
}

// Marks the first end, or the second and goes; a span that is none is let go of.
export function mark(seconds) {
  if (!span) {
    span = { from: seconds, to: seconds };
    return;
  }
  span.to = seconds;
  if (span.from === span.to) span = null;
  else zoom();
}

export function stretch(seconds) {
  if (span) span.to = seconds;
}

// follow(): draws all charts again.
export function drag(canvas, chart, follow) {
  let startX = null;
  const at = (x) => chart.scales.x.getValueForPixel(inside(chart.chartArea, x));
  const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
  canvas.addEventListener("pointerdown", (event) => {
    const x = place(event);
    const { left, right } = chart.chartArea;
    if (event.button !== 0 || event.pointerType === "touch" || x < left || x > right) return;
    startX = x;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (startX === null) return;
    const x = place(event);
    span = Math.abs(x - startX) < LEAST_PX ? null : { from: at(startX), to: at(x) };
    follow();
  });
  const end = () => {
    startX = null;
    if (span) zoom();
  };
  canvas.addEventListener("pointerup", () => startX !== null && end());
  canvas.addEventListener("pointercancel", () => {
    startX = null;
    if (unmark()) follow();
  });
}
