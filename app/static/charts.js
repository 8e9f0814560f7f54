// Draws what a panel hands over in data-chart, and draws it again when that changes: no animation, no new canvas.
import { brush, drag, isBrushing, mark, stretch, unmark } from "./charts/brush.js";
import { crosshair, pointed, point, read } from "./charts/crosshair.js";
import { datasets } from "./charts/datasets.js";
import { ground } from "./charts/ground.js";
import { aim, heat } from "./charts/heat.js";
import { colour, readColours } from "./charts/palette.js";
import { tickLabel, timeTicks } from "./charts/times.js";

const { Chart } = window;
const GUTTER = 44;
const TOP = 20;
const drawn = new Map(); // canvas -> { chart, text }: the JSON it shows

function options(data) {
  return {
    animation: false,
    maintainAspectRatio: false,
    events: [],
    layout: { autoPadding: false, padding: { top: TOP } },
    plugins: { legend: { display: false }, tooltip: { enabled: false } },
    scales: { x: timeScale(data), y: valueScale(data.axis, data.kind === "columns") },
  };
}

function timeScale(data) {
  return {
    type: "linear",
    offset: false,
    min: data.edges_s[0],
    max: data.edges_s.at(-1),
    border: { display: false },
    grid: { display: false },
    afterBuildTicks: (scale) => { scale.ticks = timeTicks(data, scale.chart.width); },
    afterFit: (scale) => { scale.paddingLeft = scale.paddingRight = 0; },
    ticks: { align: "inner", autoSkip: false, color: colour["text-3"], maxRotation: 0, padding: 4,
      callback: (seconds) => tickLabel(data, seconds) },
  };
}

function valueScale(axis, isStacked) {
  return {
    type: axis.is_log ? "logarithmic" : "linear",
    stacked: isStacked,
    min: axis.low,
    max: axis.high,
    border: { display: false },
    grid: { drawTicks: false, color: ({ index }) => (index === 0 ? colour["line-strong"] : colour.grid) },
    afterBuildTicks: (scale) => { scale.ticks = axis.ticks.map(([value]) => ({ value })); },
    afterFit: (scale) => { scale.width = GUTTER; },
    ticks: { autoSkip: false, color: colour["text-3"], padding: 8, callback: (_, index) => axis.ticks[index]?.[1] },
  };
}

function draw(element) {
  const canvas = element.querySelector("canvas");
  const text = element.dataset.chart;
  const known = drawn.get(canvas);
  if (known?.text === text) return;
  const data = JSON.parse(text);
  const shown = { source: data, datasets: datasets(data, canvas.getContext("2d")) };
  if (known) {
    known.text = text;
    known.chart.data = shown;
    known.chart.options = options(data);
    known.chart.update("none");
  } else {
    const chart = new Chart(canvas, { type: "line", data: shown, options: options(data), plugins: [heat, ground, brush, crosshair] });
    drawn.set(canvas, { chart, text });
    follow(canvas, chart);
  }
}

function redraw() {
  for (const { chart } of drawn.values()) {
    chart.draw();
    read(chart);
  }
}

function follow(canvas, chart) {
  const move = (seconds, y = null) => {
    const isElsewhere = aim(chart, y);
    if (point(seconds) || isElsewhere) redraw();
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const { left, right } = chart.chartArea;
    move(x >= left && x <= right ? chart.scales.x.getValueForPixel(x) : null, event.clientY - box.top);
  });
  canvas.addEventListener("pointerleave", () => move(null));
  drag(canvas, chart, redraw);
  canvas.parentElement.addEventListener("keydown", (event) => step(event, chart));
  canvas.parentElement.addEventListener("blur", () => (unmark() || pointed() !== null) && (point(null), redraw()));
}

// The crosshair by keys: left and right, by one point or with Shift by ten; Enter marks the ends of a zoom.
function step(event, chart) {
  const edges = chart.data.source.edges_s;
  const last = edges.length - 2;
  const at = edges.slice(1).findIndex((edge) => pointed() !== null && pointed() < edge);
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key] * (event.shiftKey ? 10 : 1);
  if (by) {
    const next = at < 0 ? last : Math.min(last, Math.max(0, at + by));
    point((edges[next] + edges[next + 1]) / 2);
    stretch(pointed());
  } else if (event.key === "Enter" && pointed() !== null) mark(pointed());
  else if (event.key === "Escape" && isBrushing()) unmark();
  else return;
  event.preventDefault();
  redraw();
}

// A panel may have lost its chart (no request in the window any more) or got its first one.
function drawAll() {
  for (const [canvas, { chart }] of drawn) {
    if (canvas.isConnected) continue;
    chart.destroy();
    drawn.delete(canvas);
  }
  for (const element of document.querySelectorAll("[data-chart]")) draw(element);
  for (const { chart } of drawn.values()) read(chart);
}

function repaint() {
  readColours();
  for (const known of drawn.values()) known.text = "";
  drawAll();
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 11;
repaint();
new MutationObserver(drawAll).observe(document.getElementById("main"), {
  attributeFilter: ["data-chart"], characterData: true, childList: true, subtree: true,
});
addEventListener("laptime:theme", repaint);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
