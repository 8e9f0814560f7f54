// Instants in the time zone that is chosen. The server writes UTC; this rewrites whatever arrives, before it is painted.
import { timeZone, zoneName } from "./zone.js";

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone });
const second = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long", timeZone });

function localise() {
  for (const element of document.querySelectorAll("time[data-clock]")) {
    const instant = new Date(element.dateTime);
    const text = ({ day, second }[element.dataset.clock] ?? time).format(instant).replace(",", "");
    if (element.textContent !== text) element.textContent = text;
    const title = full.format(instant);
    if (element.title !== title) element.title = title;
  }
}

localise();
new MutationObserver(localise).observe(document.getElementById("main"), { childList: true, subtree: true, characterData: true });
for (const element of document.querySelectorAll("[data-zone]")) {
  element.textContent = zoneName;
}
// A form's fields for dates hold UTC; they are shown in the zone, and what is sent says which instant was meant.
const OFFSET = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "longOffset" });

// Milliseconds that the zone is ahead of UTC at an instant.
function aheadMs(instant) {
  const name = OFFSET.formatToParts(instant).find((part) => part.type === "timeZoneName").value;
  const [, sign, hours, minutes] = name.match(/GMT(?:([+-])(\d\d):(\d\d))?/);
  return sign ? (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000 : 0;
}

for (const form of document.querySelectorAll("form[data-span]")) {
  const fields = [...form.querySelectorAll("input[type=datetime-local]")];
  for (const field of fields) {
    const instant = new Date(`${field.value}Z`);
    field.value = new Date(instant.getTime() + aheadMs(instant)).toISOString().slice(0, 16);
  }
  form.addEventListener("formdata", ({ formData }) => {
    for (const { name, value } of fields) {
      if (!value) continue;
      const wall = new Date(`${value}Z`);
      formData.set(name, new Date(wall.getTime() - aheadMs(wall)).toISOString().replace(".000Z", "Z"));
    }
  });
}
