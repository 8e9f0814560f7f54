// Instants on the time axis, in the time zone that is chosen; days once the window is longer than two of them.
import { timeZone } from "../zone.js";

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone });
const both = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone });
const DAY_S = 86_400;

const lengthS = (data) => data.edges_s.at(-1) - data.edges_s[0];

export const tickLabel = (data, seconds) => (lengthS(data) > 2 * DAY_S ? day : time).format(seconds * 1000);
export const chipLabel = (data, seconds) => (lengthS(data) > DAY_S ? both : time).format(seconds * 1000).replace(",", "");

// Evenly from the first instant to the last.
export function timeTicks(data, width) {
  const steps = width < 420 ? 3 : 6;
  return Array.from({ length: steps + 1 }, (_, index) => ({ value: data.edges_s[0] + (lengthS(data) * index) / steps }));
}
