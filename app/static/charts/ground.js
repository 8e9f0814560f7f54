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
    for (const alarm of data.alarms) {
      ctx.font = `600 11px ${font}`;
      drawAlarm(ctx, area, Math.max(area.left, x.getPixelForValue(alarm.from_s)), alarm);
    }
    ctx.font = `11px ${font}`;
    for (const [from, to] of data.gaps_s) {
      const words = from <= data.edges_s[0] && to < data.edges_s.at(-1) ? `no data before ${chipLabel(data, to)}` : "no data";
      drawGap(ctx, area, Math.max(area.left, x.getPixelForValue(from)), Math.min(area.right, x.getPixelForValue(to)), words);
    }
    ctx.restore();
  },
};

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

function drawAlarm(ctx, area, from, alarm) {
  ctx.fillStyle = colour[alarm.severity];
  ctx.globalAlpha = 0.055;
  ctx.fillRect(from, area.top - 3, area.right - from, area.height + 3);
  ctx.globalAlpha = 1;
  ctx.fillRect(from, area.top - 4, area.right - from, 2);
  const width = ctx.measureText(alarm.label).width;
  const fits = area.right - from > width + 4;
  const left = fits ? from + 2 : area.right - 2 - width;
  ctx.fillStyle = colour.surface;
  ctx.fillRect(left - 4, area.top - 20, width + 8, 15); // over the flags of releases
  ctx.fillStyle = colour[alarm.severity];
  ctx.textAlign = "left";
  ctx.fillText(alarm.label, left, area.top - 9);
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
