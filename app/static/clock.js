// Instants in the reader's own time zone. The server writes UTC; this rewrites whatever arrives, before it is painted.
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

function localise() {
  for (const element of document.querySelectorAll("time[data-clock]")) {
    const instant = new Date(element.dateTime);
    const text = (element.dataset.clock === "day" ? day : time).format(instant).replace(",", "");
    if (element.textContent !== text) element.textContent = text;
    const title = full.format(instant);
    if (element.title !== title) element.title = title;
  }
}

localise();
new MutationObserver(localise).observe(document.getElementById("main"), { childList: true, subtree: true, characterData: true });
for (const element of document.querySelectorAll("[data-zone]")) {
  element.textContent = `local (${Intl.DateTimeFormat().resolvedOptions().timeZone})`;
}
