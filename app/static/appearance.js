// How this browser shows the pages: theme, time zone and refresh; and which section of the settings is in sight.
const form = document.querySelector("[data-appearance]");

for (const field of form.elements) {
  if (field.type !== "radio") continue;
  const kept = localStorage.getItem(field.name) ?? { "laptime-theme": "", "laptime-zone": "local", "laptime-refresh": "5" }[field.name];
  field.checked = field.value === kept;
}

form.addEventListener("change", ({ target }) => {
  if (target.value) localStorage.setItem(target.name, target.value);
  else localStorage.removeItem(target.name);
  if (target.name === "laptime-theme") {
    if (target.value) document.documentElement.dataset.theme = target.value;
    else delete document.documentElement.dataset.theme;
  }
  if (target.name === "laptime-zone") location.reload();
});

const links = new Map([...document.querySelectorAll("[data-sections] a")].map((link) => [link.hash.slice(1), link]));
const seen = new IntersectionObserver((entries) => {
  const first = entries.find((entry) => entry.isIntersecting);
  if (!first) return;
  for (const [id, link] of links) {
    if (id === first.target.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}, { rootMargin: "-15% 0px -70% 0px" });
for (const id of links.keys()) seen.observe(document.getElementById(id));
