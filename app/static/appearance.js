// What a browser keeps for itself: the theme, whose clock tells the time, and how often pages refresh.
const form = document.querySelector("[data-appearance]");
const root = document.documentElement;
const THEME = "laptime-theme";

function show() {
  for (const input of form.querySelectorAll("[data-keep]")) {
    const kept = localStorage.getItem(input.dataset.keep);
    if (kept !== null) input.checked = input.value === kept;
  }
  if (localStorage.getItem(THEME) === null) form.querySelector(`[name="${THEME}"][value=""]`).checked = true;
}

function keep({ target }) {
  const { keep: key } = target.dataset;
  if (!key) return;
  if (target.value) localStorage.setItem(key, target.value);
  else localStorage.removeItem(key);
  if (key === THEME) {
    if (target.value) root.dataset.theme = target.value;
    else delete root.dataset.theme;
    dispatchEvent(new Event("laptime:theme"));
  }
  if (key === "laptime-zone") dispatchEvent(new Event("laptime:zone"));
  form.querySelector("[data-kept]").textContent = "Kept in this browser.";
}

if (form) {
  show();
  form.addEventListener("change", keep);
  addEventListener("laptime:theme", show); // the button in the bar
  addEventListener("storage", show); // another tab
}
