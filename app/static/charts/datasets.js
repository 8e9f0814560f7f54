// From a panel's chart (edges_s, lines, axis) to what Chart.js draws: percentiles as lines, outcomes as columns.
import { colour, hatchedFill } from "./palette.js";

export const middles = (data) => data.edges_s.slice(1).map((edge, index) => (edge + data.edges_s[index]) / 2);
export const values = (data, name) => data.lines.find((line) => line.name === name).values;

export function datasets(data, context) {
  if (data.kind === "course") return course(data);
  if (data.kind === "heat") return overHeat(data);
  return data.kind === "lines" ? lines(data) : columns(data, context);
}

// A value over time and what goes with it; its limits are drawn by ground.js.
function course(data) {
  const at = middles(data);
  const [line, ...others] = data.lines;
  return [{ data: line.values.map((y, index) => ({ x: at[index], y })), borderColor: colour.p95, borderWidth: 1.75,
    fill: "start", backgroundColor: colour.band, pointRadius: line.values.map((_, index) => (isLone(line.values, index) ? 3 : 0)),
    pointBackgroundColor: colour.p95, pointBorderWidth: 0 }, ...others.map((other) => beside(at, other))];
}

// What goes with the line: the greatest values or the other direction thin, the time before dashed.
function beside(at, { name, values: list }) {
  const isBefore = name === "before";
  return { data: list.map((y, index) => ({ x: at[index], y })), borderColor: isBefore ? colour.before : colour.p50,
    borderWidth: isBefore ? 1 : 1.25, borderDash: isBefore ? [3, 2] : [], fill: false,
    pointRadius: list.map((_, index) => (!isBefore && isLone(list, index) ? 2.5 : 0)), pointBackgroundColor: colour.p50, pointBorderWidth: 0 };
}

// A line that is read on top of a heatmap's cells, whatever their shade; too few requests make dots.
function overHeat(data) {
  const at = middles(data);
  const [line] = data.lines;
  const points = line.values.map((y, index) => ({ x: at[index], y }));
  const pointRadius = line.values.map((_, index) => (data.is_thin || isLone(line.values, index) ? 3 : 0));
  const shared = { data: points, showLine: !data.is_thin, pointRadius, pointBorderWidth: 0 };
  return [
    { ...shared, borderColor: colour.text, borderWidth: 1.5, pointBackgroundColor: colour.text },
    { ...shared, borderColor: colour.surface, borderWidth: 4, pointRadius: 0 },
  ];
}

function lines(data) {
  const at = middles(data);
  const styles = {
    p50: { borderColor: colour.p50, borderWidth: 1.5 },
    p95: { borderColor: colour.p95, borderWidth: 2, fill: data.is_thin ? false : "-1", backgroundColor: colour.band },
    p99: { borderColor: colour.p99, borderWidth: 1.25, borderDash: [4, 2] },
  };
  const shown = data.is_thin ? data.lines.filter((line) => line.name === "p95") : data.lines;
  return shown.map((line) => ({
    ...styles[line.name],
    data: line.values.map((y, index) => ({ x: at[index], y })),
    showLine: !data.is_thin,
    pointRadius: line.values.map((_, index) => (data.is_thin || isLone(line.values, index) ? 3.5 : 0)),
    pointBackgroundColor: styles[line.name].borderColor,
    pointBorderColor: colour.surface,
    pointBorderWidth: 1,
  }));
}

// A point without neighbours makes no line: it is drawn as a dot.
function isLone(list, index) {
  return list[index] !== null && (list[index - 1] ?? null) === null && (list[index + 1] ?? null) === null;
}

// Failures stand on the axis, so that they can be read off; all requests are a quiet stepped area behind them.
function columns(data, context) {
  const total = values(data, "total").flatMap((y, index) => [
    { x: data.edges_s[index], y },
    { x: data.edges_s[index + 1], y },
  ]);
  return [
    { type: "line", stack: "total", data: total, fill: "origin", borderColor: colour["out-ok-line"],
      backgroundColor: colour["out-ok"], borderWidth: 1, pointRadius: 0, order: 2 },
    bars(data, "server", hatchedFill(context, colour["out-5xx"], colour.surface)),
    bars(data, "client", colour["out-4xx"]),
  ];
}

function bars(data, name, backgroundColor) {
  const at = middles(data);
  return {
    type: "bar", stack: "failed", order: 1, backgroundColor, minBarLength: 1.5, barPercentage: 1, categoryPercentage: 0.8,
    data: values(data, name).map((y, index) => ({ x: at[index], y: y || null })),
  };
}
