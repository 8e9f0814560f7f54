// Behind the series: alerts that are active, as a cap and a faint band, and hatched spans without data.
import { colour, hatch } from "./palette.js";
import { chipLabel } from "./times.js";

export const ground = {
  id: "ground",
  beforeDatasetsDraw(chart) {
    const { ctx, chartArea: area, scales: { x }, data: { source: data } } = chart;
    const font = window.Chart.defaults.font.family;
    ctx.save();
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

function drawAlarm(ctx, area, from, alarm) {
  ctx.fillStyle = colour[alarm.severity];
  ctx.globalAlpha = 0.055;
  ctx.fillRect(from, area.top - 3, area.right - from, area.height + 3);
  ctx.globalAlpha = 1;
  ctx.fillRect(from, area.top - 4, area.right - from, 2);
  const fits = area.right - from > ctx.measureText(alarm.label).width + 4;
  ctx.textAlign = fits ? "left" : "right";
  ctx.fillText(alarm.label, fits ? from + 2 : area.right - 2, area.top - 9);
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
