// The cells of a heatmap, behind its line: one pass over the canvas to each shade; and a cell in words.
import { colour } from "./palette.js";
import { chipLabel } from "./times.js";

const GAP = 1; // pixels between cells, as long as they are wide enough to spare one
const NARROW = 5;
let step = null; // the step of response time under the pointer, if it is over the chart

// Follows the pointer to a height of a chart or away (null); true if another step is there now.
export function aim(chart, y) {
  const cells = chart.data.source.cells;
  const value = cells && y !== null ? chart.scales.y.getValueForPixel(y) : NaN;
  const found = cells?.edges_ms.findIndex((edge, index) => value >= edge && value < cells.edges_ms[index + 1]) ?? -1;
  const now = found < 0 ? null : found;
  const moved = now !== step;
  step = now;
  return moved;
}

// How many requests a step held at one of the points.
function requests(cells, index, number) {
  const [first, ...counts] = cells.columns[index];
  return counts[number - first] ?? 0;
}

export const heat = {
  id: "heat",
  beforeDatasetsDraw(chart) {
    const { ctx, scales: { x, y }, data: { source: data } } = chart;
    if (!data.cells) return;
    const across = data.edges_s.map((edge) => Math.round(x.getPixelForValue(edge)));
    const up = data.cells.edges_ms.map((edge) => Math.round(y.getPixelForValue(edge)));
    const shades = shaded(data.cells);
    ctx.save();
    for (const [shade, members] of shades) {
      ctx.fillStyle = colour[`heat-${shade + 1}`];
      for (const [index, number] of members) {
        const width = across[index + 1] - across[index];
        const height = up[number] - up[number + 1];
        ctx.fillRect(across[index], up[number + 1], width - (width > NARROW ? GAP : 0), height - (height > NARROW ? GAP : 0));
      }
    }
    ctx.restore();
  },
};

// By shade, the cells that have it: their point and their step.
function shaded({ columns, minutes, limits }) {
  const shades = new Map();
  columns.forEach(([first, ...counts], index) => counts.forEach((count, above) => {
    if (!count) return;
    const shade = limits.filter((limit) => count / minutes[index] > limit + 1e-3).length;
    if (!shades.has(shade)) shades.set(shade, []);
    shades.get(shade).push([index, first + above]);
  }));
  return shades;
}

// A frame around the cell that the pointer is on.
export function frame({ ctx, scales: { x, y }, data: { source: data } }, index) {
  if (step === null) return;
  const [left, right] = [index, index + 1].map((edge) => Math.round(x.getPixelForValue(data.edges_s[edge])));
  const [bottom, top] = [step, step + 1].map((edge) => Math.round(y.getPixelForValue(data.cells.edges_ms[edge])));
  ctx.strokeStyle = colour.text;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(left - 0.5, top - 0.5, right - left, bottom - top);
}

// What the pointer is on: the step under it, or where it is on another chart all steps of that time.
export function words(data, index) {
  const { edges_ms: edges, minutes, columns } = data.cells;
  const at = chipLabel(data, (data.edges_s[index] + data.edges_s[index + 1]) / 2);
  if (data.gaps_s.some(([from, to]) => data.edges_s[index] >= from && data.edges_s[index] < to)) return `${at}: not measured`;
  const all = columns[index].slice(1).reduce((sum, count) => sum + count, 0);
  if (step === null) return `${at}: ${counted(all)}, ${rate(all / minutes[index])} per minute`;
  const there = requests(data.cells, index, step);
  return `${at}, ${took(edges[step])} to ${took(edges[step + 1])}: ${there.toLocaleString("en")} of ${counted(all)}`
    + (there ? `, ${rate(there / minutes[index])} per minute` : "");
}

function counted(requests) {
  return `${requests.toLocaleString("en")} ${requests === 1 ? "request" : "requests"}`;
}

function rate(perMinute) {
  return perMinute.toLocaleString("en", perMinute < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 });
}

function took(value) {
  if (value >= 999.5) return `${(value / 1000).toPrecision(3)} s`;
  return `${value.toPrecision(value >= 100 ? 3 : 2)} ms`;
}
