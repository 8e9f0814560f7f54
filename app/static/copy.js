// Copy buttons beside code. Where the browser gives no clipboard (plain http), the code is selected instead.
const SAID_MS = 2000;

async function copy(button) {
  const code = button.parentElement.querySelector("pre");
  const label = button.querySelector("span");
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(code.textContent);
    label.textContent = "Copied";
  } else {
    getSelection().selectAllChildren(code);
    label.textContent = "Selected";
  }
  setTimeout(() => { label.textContent = "Copy"; }, SAID_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
