// Whose clock tells the times: as the address says, else as this browser keeps it, else the reader's own.
const root = document.documentElement;
const chosen = root.dataset.times ?? localStorage.getItem("laptime-zone") ?? "local";

export const timeZone = chosen === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
export const zoneName = chosen === "utc" ? "UTC" : `local (${timeZone})`;
