// Behind the series: alerts that are active, as a cap and a faint band, hatched spans without data, and releases.
import { colour, hatch } from "./palette.js";
import { chipLabel } from "./times.js";

const DENSE = 22; // pixels to a release, on the average, below which they would hide the chart

export const ground = {
  id: "ground",
  beforeDatasetsDraw(chart) {
    const { ctx, chartArea: area, scales: { x }, data: { source: data } } = chart;
    const font = window.Chart.defaults.font.family;
    ctx.save();
    ctx.font = `11px ${font}`;
    drawReleases(ctx, area, x, data.releases);
    let free = area.left - 8;
    for (const alarm of data.alarms) {
      ctx.font = `600 11px ${font}`;
      const from = Math.max(area.left, x.getPixelForValue(alarm.from_s));
      const to = alarm.to_s === null ? area.right : Math.min(area.right, x.getPixelForValue(alarm.to_s));
      free = drawAlarm(ctx, area, from, Math.max(to, from + 2), alarm, free, data.cells !== null);
    }
    ctx.font = `11px ${font}`;
    for (const [from, to] of data.gaps_s) {
      const words = from <= data.edges_s[0] && to < data.edges_s.at(-1) ? `no data until ${chipLabel(data, to)}` : "no data";
      drawGap(ctx, area, Math.max(area.left, x.getPixelForValue(from)), Math.min(area.right, x.getPixelForValue(to)), words);
    }
    ctx.restore();
  },
  // Over the line, or a limit that it hugs could not be seen.
  afterDatasetsDraw(chart) {
    const { ctx, chartArea: area, scales: { y }, data: { source: data } } = chart;
    ctx.save();
    ctx.font = `11px ${window.Chart.defaults.font.family}`;
    const taken = [];
    for (const limit of data.limits) drawLimit(ctx, area, Math.round(y.getPixelForValue(limit.value)) + 0.5, limit, taken);
    ctx.restore();
  },
};

// Its label stands above the line, that of "well again" below; where another is already, to the right of that.
function drawLimit(ctx, area, y, limit, taken) {
  if (y < area.top || y > area.bottom) return;
  ctx.strokeStyle = colour[limit.severity];
  ctx.setLineDash([5, 3]);
  ctx.beginPath();
  ctx.moveTo(area.left, y);
  ctx.lineTo(area.right, y);
  ctx.stroke();
  ctx.setLineDash([]);
  const width = ctx.measureText(limit.label).width + 6;
  const isBelow = (limit.severity === "ok" && y + 16 < area.bottom) || y - 15 < area.top;
  const top = isBelow ? y + 2 : y - 15;
  let left = area.left + 6;
  for (const other of taken) if (Math.abs(other.top - top) < 13) left = Math.max(left, other.right + 8);
  taken.push({ top, right: left + width });
  ctx.fillStyle = colour.surface;
  ctx.globalAlpha = 0.75;
  ctx.fillRect(left, top, width, 13);
  ctx.globalAlpha = 1;
  ctx.fillStyle = colour[limit.severity];
  ctx.textAlign = "left";
  ctx.fillText(limit.label, left + 3, top + 11);
}

// A dotted line with a flag; names stand where there is room, the newest first. Where many lie close together
// short ticks have to do.
function drawReleases(ctx, area, x, releases) {
  const seen = releases.map(({ at_s, label }) => [Math.round(x.getPixelForValue(at_s)) + 0.5, label])
    .filter(([left]) => left >= area.left && left <= area.right);
  const isDense = seen.length * DENSE > area.width;
  let free = area.right;
  ctx.fillStyle = ctx.strokeStyle = colour["text-2"];
  for (const [left, label] of seen.reverse()) {
    drawFlag(ctx, area, left, isDense);
    if (!isDense && left + 8 + ctx.measureText(label).width < free) {
      ctx.textAlign = "left";
      ctx.fillText(label, left + 8, area.top - 6);
    }
    free = left - 8;
  }
}

function drawFlag(ctx, area, left, isDense) {
  ctx.beginPath();
  ctx.moveTo(left, area.top - 4);
  ctx.lineTo(left, isDense ? area.top + 2 : area.bottom);
  ctx.setLineDash(isDense ? [] : [1, 3]);
  ctx.stroke();
  ctx.setLineDash([]);
  if (isDense) return;
  ctx.beginPath();
  ctx.moveTo(left - 4, area.top - 14);
  ctx.lineTo(left + 4, area.top - 14);
  ctx.lineTo(left + 4, area.top - 8);
  ctx.lineTo(left, area.top - 4);
  ctx.lineTo(left - 4, area.top - 8);
  ctx.fill();
}

// A cap and a faint band; its words where they don't cover those of the one before. Answers where its words end.
function drawAlarm(ctx, area, from, to, alarm, free, isOverCells) {
  ctx.fillStyle = colour[alarm.severity];
  if (!isOverCells) { // whose shades say something
    ctx.globalAlpha = 0.055;
    ctx.fillRect(from, area.top - 3, to - from, area.height + 3);
    ctx.globalAlpha = 1;
  }
  ctx.fillRect(from, area.top - 4, to - from, 2);
  const width = ctx.measureText(alarm.label).width;
  const middle = alarm.to_s === null ? from + 2 : (from + to - width) / 2;
  const left = Math.max(area.left, Math.min(middle, area.right - 2 - width));
  if (left < free + 6) return free;
  ctx.fillStyle = colour.surface;
  ctx.fillRect(left - 4, area.top - 20, width + 8, 15); // over the flags of releases
  ctx.fillStyle = colour[alarm.severity];
  ctx.textAlign = "left";
  ctx.fillText(alarm.label, left, area.top - 9);
  return left + width;
}

function drawGap(ctx, area, left, right, words) {
  if (right <= left) return;
  ctx.fillStyle = colour.surface;
  ctx.fillRect(left, area.top, right - left, area.height);
  ctx.fillStyle = hatch(ctx, colour["line-strong"]);
  ctx.globalAlpha = 0.6;
  ctx.fillRect(left, area.top, right - left, area.height);
  ctx.globalAlpha = 1;
  const width = ctx.measureText(words).width + 12;
  if (right - left < width + 8) return;
  const [x, y] = [(left + right) / 2, (area.top + area.bottom) / 2];
  ctx.fillStyle = colour.surface;
  ctx.fillRect(x - width / 2, y - 9, width, 18);
  ctx.fillStyle = colour["text-2"];
  ctx.textAlign = "center";
  ctx.fillText(words, x, y + 4);
}
