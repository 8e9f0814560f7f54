// The rule editor: the units beside the limits are those of the chosen metric.
const metric = document.getElementById("metric");

function follow() {
  const unit = metric.selectedOptions[0]?.dataset.unit ?? "";
  for (const sign of document.querySelectorAll("[data-unit-of-metric]")) sign.textContent = unit;
}

if (metric) {
  metric.addEventListener("change", follow);
  follow();
}
