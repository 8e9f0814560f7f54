// What can be done by keys: "?" lists them, "/" finds a tool, "g" and a letter goes, arrows walk rows.
const WAIT_MS = 1500;
const sheet = document.querySelector("[data-key-sheet]");
const finder = document.querySelector("[data-finder]");
let goingUntil = 0;

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

function openFinder() {
  finder.open = true;
  const field = finder.querySelector("input[type=search]");
  field.focus();
  field.select();
}

// Where the rows of a table or a list lead; the arrows go from one to the next.
function rowsAround(element) {
  const list = element.closest("tbody, ul.rows, ul.found") ?? document.querySelector("[data-walk]");
  return list ? [...list.querySelectorAll("a[data-row], .found a")] : [];
}

function walk(event, by) {
  const rows = rowsAround(event.target);
  const at = rows.indexOf(document.activeElement);
  if (!rows.length || (at < 0 && event.target !== document.body)) return;
  event.preventDefault();
  rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))].focus();
}

function inFinder(event) {
  const hits = [...finder.querySelectorAll(".found a")];
  const at = hits.indexOf(document.activeElement);
  if (event.key === "ArrowDown" && hits.length) hits[Math.min(hits.length - 1, at + 1)].focus();
  else if (event.key === "ArrowUp" && at >= 0) (hits[at - 1] ?? finder.querySelector("input[type=search]")).focus();
  else if (event.key === "Enter" && at < 0 && hits.length) hits[0].click();
  else return;
  event.preventDefault();
}

function go(letter) {
  const place = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
  if (place) location.assign(place.href);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (finder?.open && finder.contains(event.target)) return inFinder(event);
  if (isTyping(event.target) || sheet.open) return undefined;
  if (performance.now() < goingUntil) {
    goingUntil = 0;
    return go(event.key);
  }
  if (event.key === "g") goingUntil = performance.now() + WAIT_MS;
  else if (event.key === "?") sheet.showModal();
  else if (event.key === "/" && finder) {
    event.preventDefault();
    openFinder();
  } else if (event.key === "ArrowDown") walk(event, 1);
  else if (event.key === "ArrowUp") walk(event, -1);
  return undefined;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) sheet.showModal();
  if (event.target === sheet || event.target.closest("[data-close]")) sheet.close();
});

finder?.addEventListener("toggle", () => {
  if (!finder.open) return;
  const field = finder.querySelector("input[type=search]");
  field.focus();
  field.dispatchEvent(new CustomEvent("laptime:find"));
});
