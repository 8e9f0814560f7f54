// The theme, before the first paint: as chosen here, else as the system has it.
const root = document.documentElement;
const chosen = localStorage.getItem("laptime-theme");
if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", () => {
      const isDark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
      root.dataset.theme = isDark ? "light" : "dark";
      localStorage.setItem("laptime-theme", root.dataset.theme);
      dispatchEvent(new Event("laptime:theme"));
    });
  }
});
