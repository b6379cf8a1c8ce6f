// What a keyboard does here, and the parts that look again by themselves. Every page works
// without any of it.

const finder = document.getElementById("q");
const dialog = document.getElementById("keys");

// Browsers do not focus what came of a form where the address names a place on the page.
document.querySelector(".told")?.focus({ preventScroll: true });

// Keys --------------------------------------------------------------------------------

let waitsForPlace = false;

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

function go(letter) {
  document.querySelector(`[data-go="${letter}"]`)?.click();
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row.classList.contains("is-here"));
  const next = rows[Math.min(Math.max(here + step, 0), rows.length - 1)];
  rows[here]?.classList.remove("is-here");
  next.classList.add("is-here");
  next.scrollIntoView({ block: "nearest" });
  // Enter then opens it, and a screen reader says what it is.
  const link = next.querySelector("a, button");
  if (link) link.focus();
  else {
    next.tabIndex = -1;
    next.focus();
  }
}

const keys = {
  "/": () => finder?.focus(),
  "?": () => dialog?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  n: () => document.querySelector("[data-new]")?.click(),
  g: () => {
    waitsForPlace = true;
    setTimeout(() => (waitsForPlace = false), 1500);
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (dialog?.open) return;
  if (waitsForPlace && event.key.length === 1) {
    waitsForPlace = false;
    event.preventDefault();
    return go(event.key);
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.querySelector("[data-keys]")?.addEventListener("click", (event) => {
  event.preventDefault();
  dialog.showModal();
});

// Calls -------------------------------------------------------------------------------

const ringing = document.querySelector("[data-poll]");

async function lookAgain() {
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

async function watch() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (document.visibilityState === "visible") await lookAgain().catch(() => {});
  }
}

if (ringing) watch();
