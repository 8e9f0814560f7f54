// A form of many numbers: rows that were touched are marked, counted in the foot, and not left by accident.
const form = document.querySelector("[data-unsaved]");

function tell() {
  const rows = new Set();
  for (const input of form.querySelectorAll("[data-was]")) {
    const isChanged = input.value.trim() !== input.dataset.was;
    input.closest("td").querySelector(".was").hidden = !isChanged;
    if (isChanged) rows.add(input.closest("tr"));
  }
  for (const row of form.querySelectorAll("tbody tr")) row.classList.toggle("changed", rows.has(row));
  const count = form.querySelector("[data-unsaved-count]");
  count.hidden = !rows.size;
  count.textContent = `${rows.size} ${rows.size === 1 ? "row is" : "rows are"} not saved.`;
  form.querySelector("[data-unsaved-none]").hidden = rows.size > 0;
  for (const button of form.querySelectorAll(".actions .btn")) button.disabled = !rows.size;
  return rows.size;
}

if (form) {
  // Discard goes back to what is saved, which a refused form does not hold.
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const input of form.querySelectorAll("[data-was]")) input.value = input.dataset.was;
    tell();
  });
  form.addEventListener("input", tell);
  let isSent = false;
  form.addEventListener("submit", () => { isSent = true; });
  addEventListener("beforeunload", (event) => { if (!isSent && tell()) event.preventDefault(); });
  addEventListener("pageshow", tell);
}
