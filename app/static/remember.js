// What somebody is called is asked once: fields with data-remember keep their value in this browser.
function recall() {
  for (const field of document.querySelectorAll("[data-remember]:not([data-recalled])")) {
    field.dataset.recalled = "";
    field.value = localStorage.getItem(field.dataset.remember) ?? field.value;
  }
}

recall();
new MutationObserver(recall).observe(document.getElementById("main"), { childList: true, subtree: true });
document.addEventListener("change", ({ target }) => {
  const key = target.dataset.remember;
  if (!key || !target.value.trim()) return;
  localStorage.setItem(key, target.value.trim());
  for (const other of document.querySelectorAll(`[data-remember="${key}"]`)) other.value = target.value;
});
