// Keeps the panels fresh: every few seconds each asks for itself, while somebody can see it.
// The panels' markup says how (data-hx-*); this says when, tells the age, and tells when the service is away.
const EVERY_S = 5;
const LATE_S = 12;
const SPREAD_MS = 30;
const OF_TIME = new Set(["window", "from", "to", "compare", "zone"]);
const BUSY_MS = 1000; // a whole refresh that takes longer is asked for less often
const REST = 10; // times as long as it took

const panels = [...document.querySelectorAll("[data-panel]")];
const counts = document.querySelectorAll("[data-active-count]");
const live = document.querySelector("[data-live]");
const text = live.querySelector("[data-live-text]");
const glyph = live.querySelector("use");
const lost = document.querySelector("[data-lost]");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const freshAt = new Map(panels.map((panel) => [panel, Date.now()]));
const asked = new WeakMap(); // a request by a link -> the page's address that the link stands for
let failed = false;
let everyS = Number(localStorage.getItem("laptime-refresh") ?? EVERY_S);
let askedAt = Date.now();
let tookMs = 0; // from asking to the last panel's answer, of the newest refresh

function refresh() {
  askedAt = Date.now();
  panels.forEach((panel, index) => {
    setTimeout(() => panel.dispatchEvent(new CustomEvent("laptime:refresh", { bubbles: false })), index * SPREAD_MS);
  });
}

// One beat a second: it tells the age and asks when it is time, so a sleeping tab catches up by itself.
function beat() {
  if (document.hidden) return;
  if (everyS && Date.now() - askedAt >= waitMs() - 50) refresh();
  tell();
}

// As long as was chosen; longer while the server takes its time.
const isBusy = () => tookMs > BUSY_MS;
const waitMs = () => Math.max(everyS * 1000, isBusy() ? Math.min(60_000, REST * tookMs) : 0);

function tell() {
  const oldest = Math.min(...freshAt.values());
  const ageS = Math.max(0, Math.round((Date.now() - oldest) / 1000));
  const isLost = failed && ageS >= Math.min(LATE_S, 2 * (everyS || EVERY_S));
  set(isLost ? "lost" : everyS ? "live" : "paused");
  if (isLost) text.textContent = `Lost for ${age(ageS)}`;
  else if (everyS) text.textContent = isBusy() ? `Server busy, ${age(ageS)} ago` : ageS < 1 ? "Updated just now" : `Updated ${age(ageS)} ago`;
  else text.textContent = `Off, ${clock.format(oldest)}`;
  if (lost.hidden === isLost) {
    lost.hidden = !isLost;
    document.body.classList.toggle("stale", isLost);
    if (isLost) lost.querySelector("[data-lost-at]").textContent = clock.format(oldest);
  }
}

function set(state) {
  if (live.dataset.state === state) return;
  live.dataset.state = state;
  glyph.setAttribute("href", { live: "#i-dot", paused: "#i-pause", lost: "#i-cut" }[state]);
}

function age(seconds) {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

function choose(seconds) {
  everyS = seconds;
  localStorage.setItem("laptime-refresh", String(seconds));
  mark();
  if (everyS) refresh();
  tell();
}

function mark() {
  live.querySelector("summary").title = everyS ? `Refreshes every ${everyS} s` : "Does not refresh";
  for (const button of live.querySelectorAll("[data-refresh-every]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.refreshEvery) === everyS));
  }
}

// Rows must not move under the pointer or the focus: what arrives is put in the order that is shown.
function keepOrder(event) {
  const shown = event.target.closest("[data-panel]")?.querySelector("[data-keep-order]");
  if (!shown || !(shown.matches(":hover") || shown.contains(document.activeElement))) return;
  if (event.detail.ctx.sourceElement !== shown.closest("[data-panel]")) return;
  const order = new Map([...shown.children].map((row, index) => [row.id, index]));
  for (const task of event.detail.tasks) {
    const arriving = task.fragment?.querySelector("[data-keep-order]");
    const rows = arriving ? [...arriving.children] : [];
    rows.sort((one, other) => (order.get(one.id) ?? Infinity) - (order.get(other.id) ?? Infinity) || 0);
    arriving?.append(...rows);
  }
}

function arrived(event) {
  const { ctx } = event.detail;
  const panel = event.target.closest?.("[data-panel]");
  if (!panel || ctx.response?.status !== 200) return;
  freshAt.set(panel, Date.now() - 1000 * Number(ctx.response.headers?.get("Age") ?? 0));
  if (ctx.sourceElement === panel) tookMs = Date.now() - askedAt;
  failed = false;
  if (asked.has(ctx)) history.replaceState(null, "", asked.get(ctx).split("#")[0]);
  count(panel.querySelector("[data-active]")?.dataset.active);
  const title = panel.querySelector("h1");
  if (title) document.title = `${title.textContent} · Laptime`;
  tell();
}

// How many alerts are active, in the navigation.
function count(active) {
  if (active === undefined) return;
  for (const one of counts) {
    one.textContent = active;
    one.hidden = active === "0";
  }
}

function missed(event) {
  if (event.detail.ctx?.response?.status === 401) location.reload();
  failed = true;
  tell();
}

// Where a link leads is noted before it is followed: the answer may have turned it around.
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches("a[href]")) asked.set(ctx, ctx.sourceElement.href);
});
document.addEventListener("htmx:before:swap", keepOrder);
document.addEventListener("htmx:after:swap", arrived);
document.addEventListener("htmx:response:error", missed);
document.addEventListener("htmx:error", missed);
document.addEventListener("visibilitychange", beat);
// What was chosen in a panel since the page was made goes along to another time.
document.addEventListener("click", ({ target }) => {
  const link = target.closest(".windows a, .times .menu-body > a");
  if (!link) return;
  const there = new URL(link.href);
  for (const [name, value] of new URL(location.href).searchParams) {
    if (!OF_TIME.has(name) && !there.searchParams.has(name)) there.searchParams.set(name, value);
  }
  link.href = there.href;
}, { capture: true });
document.addEventListener("click", (event) => {
  const every = event.target.closest("[data-refresh-every]");
  if (every) choose(Number(every.dataset.refreshEvery));
  if (event.target.closest("[data-refresh-now]")) refresh();
  if (every) live.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  if (event.key === "r") refresh();
});

const heading = document.querySelector("h1");
if (heading) document.title = `${heading.textContent} · Laptime`;
mark();
tell();
setInterval(beat, 1000);
