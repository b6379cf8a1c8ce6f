// What a keyboard does here, and the parts that look again by themselves. Every page works
// without any of it.

const finder = document.getElementById("q");
const dialog = document.getElementById("shortcuts");

// Browsers do not focus what came of a form where the address names a place on the page.
document.querySelector(".alert")?.focus({ preventScroll: true });

// Keys --------------------------------------------------------------------------------

let isPrefixPressed = false;

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

function openShortcut(letter) {
  document.querySelector(`[data-shortcut="${letter}"]`)?.click();
}

function moveSelection(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const current = rows.findIndex((row) => row.classList.contains("is-current"));
  const next = rows[Math.min(Math.max(current + step, 0), rows.length - 1)];
  rows[current]?.classList.remove("is-current");
  next.classList.add("is-current");
  next.scrollIntoView({ block: "nearest" });
  // Enter then opens it, and a screen reader says what it is.
  const link = next.querySelector("a, button");
  if (link) link.focus();
  else {
    next.tabIndex = -1;
    next.focus();
  }
}

const shortcuts = {
  "/": () => finder?.focus(),
  "?": () => dialog?.showModal(),
  j: () => moveSelection(1),
  k: () => moveSelection(-1),
  n: () => document.querySelector("[data-new]")?.click(),
  g: () => {
    isPrefixPressed = true;
    setTimeout(() => (isPrefixPressed = false), 1500);
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (dialog?.open) return;
  if (isPrefixPressed && event.key.length === 1) {
    isPrefixPressed = false;
    event.preventDefault();
    return openShortcut(event.key);
  }
  const action = shortcuts[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

document.querySelector("[data-shortcuts]")?.addEventListener("click", (event) => {
  event.preventDefault();
  dialog.showModal();
});

// Calls -------------------------------------------------------------------------------

const ringing = document.querySelector("[data-poll]");

async function refreshCalls() {
  const answer = await fetch(ringing.dataset.poll, { redirect: "manual" });
  // Signed out meanwhile: the page says so itself.
  if (answer.type === "opaqueredirect") return location.reload();
  if (!answer.ok) return;
  const text = await answer.text();
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("ringing-rows");
  const shown = document.getElementById("ringing-rows");
  // Left alone where nothing changed, so that nobody loses their place.
  if (fresh && shown && fresh.innerHTML !== shown.innerHTML) {
    const focused = document.activeElement?.closest("#ringing-rows li")?.id;
    shown.replaceWith(fresh);
    if (focused) document.getElementById(focused)?.querySelector("a")?.focus();
  }
}

// A call opens its record once in this tab, and not while the colleague types.
function openCaller() {
  const row = document.querySelector("#ringing-rows [data-open]");
  const opened = sessionStorage.getItem("opened-calls") ?? "";
  const isTyping = Boolean(document.activeElement?.value);
  if (!row || isTyping || opened.includes(` ${row.id} `)) return;
  sessionStorage.setItem("opened-calls", `${opened} ${row.id} `.slice(-2000));
  location.assign(row.dataset.open);
}

async function pollCalls() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (document.visibilityState !== "visible") continue;
    await refreshCalls().catch(() => {});
    openCaller();
  }
}

if (ringing) pollCalls();
