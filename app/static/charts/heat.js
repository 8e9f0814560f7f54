// Behind a heatmap's line: a cell to each point and step of response time, the darker the more requests.
import { colour } from "./palette.js";

const GAP = 1;

export const heat = {
  id: "heat",
  beforeDatasetsDraw(chart) {
    const { ctx, scales: { x, y }, data: { source: data } } = chart;
    if (!data.heat) return;
    const lefts = data.edges_s.map((edge) => Math.round(x.getPixelForValue(edge)));
    const tops = data.heat.edges_ms.map((edge) => Math.round(y.getPixelForValue(edge)));
    ctx.save();
    // One pass to a shade: setting the colour is what costs.
    for (let shade = 1; shade <= 8; shade += 1) {
      ctx.fillStyle = colour[`heat-${shade}`];
      ctx.beginPath();
      data.heat.shades.forEach((column, point) => {
        for (let step = 0; step < column.length; step += 1) {
          if (column.charCodeAt(step) !== 48 + shade) continue;
          ctx.rect(lefts[point], tops[step + 1], lefts[point + 1] - lefts[point] - GAP, tops[step] - tops[step + 1] - GAP);
        }
      });
      ctx.fill();
    }
    ctx.restore();
  },
};
