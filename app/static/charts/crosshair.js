// One crosshair through all charts of the page: the instant under the pointer, marked on each, read in each legend.
import { middles, values } from "./datasets.js";
import { frame, words } from "./heat.js";
import { colour } from "./palette.js";
import { chipLabel } from "./times.js";

let atS = null;

// Moves the crosshair to an instant (Unix seconds) or away (null); true if that changes anything.
export function point(seconds) {
  const moved = atS !== seconds;
  atS = seconds;
  return moved;
}

export const pointed = () => atS;

function indexAt(data) {
  return atS === null ? -1 : data.edges_s.slice(1).findIndex((edge, index) => atS >= data.edges_s[index] && atS < edge);
}

export const crosshair = {
  id: "crosshair",
  afterDatasetsDraw(chart) {
    const { ctx, chartArea: area, scales: { x, y }, data: { source: data } } = chart;
    const index = indexAt(data);
    if (index < 0) return;
    const instant = middles(data)[index];
    const left = Math.round(x.getPixelForValue(instant)) + 0.5;
    ctx.save();
    if (data.cells) frame(chart, index);
    ctx.strokeStyle = colour["text-2"];
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(left, area.top);
    ctx.lineTo(left, area.bottom);
    ctx.stroke();
    for (const line of data.kind === "columns" ? [] : data.lines) {
      if (line.values[index] !== null) drawDot(ctx, left, y.getPixelForValue(line.values[index]), colour[{ most: "p50", other: "p50" }[line.name] ?? line.name] ?? colour.p95);
    }
    drawChip(ctx, area, left, chipLabel(data, instant));
    ctx.restore();
  },
};

function drawDot(ctx, x, y, fill) {
  ctx.beginPath();
  ctx.arc(x, y, 4.5, 0, 2 * Math.PI);
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.strokeStyle = colour.surface;
  ctx.lineWidth = 2;
  ctx.stroke();
}

function drawChip(ctx, area, x, words) {
  ctx.font = `600 11px ${window.Chart.defaults.font.family}`;
  const width = ctx.measureText(words).width + 14;
  const middle = Math.min(Math.max(x, area.left + width / 2), area.right - width / 2);
  ctx.fillStyle = colour.text;
  ctx.beginPath();
  ctx.roundRect(middle - width / 2, area.bottom + 3, width, 18, 3);
  ctx.fill();
  ctx.fillStyle = colour.surface;
  ctx.textAlign = "center";
  ctx.fillText(words, middle, area.bottom + 16);
}

// The legend's figures are the window's as the server wrote them; under the crosshair they are the point's.
export function read(chart) {
  const data = chart.data.source;
  const index = indexAt(data);
  for (const figure of chart.canvas.closest(".card").querySelectorAll("[data-read]")) {
    if (index < 0 && !("whole" in figure.dataset)) continue;
    figure.dataset.whole ??= figure.textContent;
    const words = index < 0 ? figure.dataset.whole : under(data, figure.dataset.read, index);
    if (figure.textContent !== words) figure.textContent = words;
    if (index < 0) delete figure.dataset.whole;
  }
}

function under(data, name, index) {
  if (data.kind === "course") return amount(values(data, name)[index], data.unit);
  if (name === "cell") return words(data, index);
  if (data.kind === "lines" || data.kind === "heat") return milliseconds(values(data, name)[index]);
  const [total, server, client] = ["total", "server", "client"].map((one) => values(data, one)[index]);
  if (total === null) return "–";
  const figure = { ok: total - server - client, server, client }[name];
  return figure >= 100 || figure < 0.05 ? Math.round(figure).toLocaleString("en") : figure.toFixed(1);
}

function amount(value, unit) {
  if (value === null) return "–";
  if (unit === "milliseconds") return milliseconds(value);
  if (unit === "bytes per second") return `${bytes(value)}/s`;
  return `${value.toLocaleString("en", { maximumFractionDigits: 1 })}${unit === "percent" ? " %" : ` ${unit}`}`;
}

function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  while (size >= 1000 && units.length > 1) {
    size /= 1024;
    units.shift();
  }
  return `${Math.round(size)} ${units[0]}`;
}

function milliseconds(value) {
  if (value === null) return "–";
  if (value >= 999.5) return `${(value / 1000).toFixed(value < 10000 ? 2 : 1)} s`;
  return `${value.toFixed(value >= 10 ? 0 : value >= 1 ? 1 : 2)} ms`;
}
