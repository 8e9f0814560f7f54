// A list of anchors: the mark follows the section that is read, and stays in view where the list scrolls.
const list = document.querySelector("[data-sections]");
const links = [...(list?.querySelectorAll("a") ?? [])];
const sections = links.map((link) => document.getElementById(link.hash.slice(1)));

function follow() {
  const line = innerHeight / 4;
  const top = (section) => section.getBoundingClientRect().top;
  const isEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  let at = Math.max(0, sections.findLastIndex((section) => top(section) <= line));
  // What was asked for counts where it stands beside the other, or can't reach the line at the end of the page.
  const asked = sections.findIndex((section) => `#${section.id}` === location.hash);
  if (asked >= 0 && (top(sections[asked]) === top(sections[at]) || (isEnd && asked > at))) at = asked;
  mark(links[at]);
}

function mark(link) {
  if (link.ariaCurrent === "true") return;
  for (const other of links) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  list.scrollTo({ left: link.offsetLeft - (list.clientWidth - link.offsetWidth) / 2 });
}

if (list) {
  addEventListener("scroll", follow, { passive: true });
  addEventListener("resize", follow);
  addEventListener("hashchange", follow);
  follow();
}
