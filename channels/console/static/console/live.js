// Keeps an open record as it is: the stream says that something happened, then the page asks
// for its parts again.

import { sawVersion, startAgain, stayLive } from "../portal/stream.js";

const news = document.getElementById("news");
const { customer } = document.getElementById("status").dataset;

async function takeParts() {
  const answer = await fetch("?parts", { redirect: "manual" });
  if (answer.type === "opaqueredirect") return startAgain(); // signed out meanwhile
  if (!answer.ok) throw new Error(`parts: ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("person");
  const shown = document.getElementById("person");
  if (!fresh || !shown) throw new Error("no parts");
  put(document.adoptNode(fresh), shown);
  sawVersion(fresh.dataset.version);
}

function put(fresh, shown) {
  const known = new Set([...shown.querySelectorAll("#moments li[id]")].map((row) => row.id));
  const open = new Set([...shown.querySelectorAll("details[open] summary")].map((one) => one.textContent));
  const written = [...shown.querySelectorAll("input[id]")].filter((one) => one.value !== one.defaultValue);
  const before = document.activeElement;
  const focused = shown.contains(before) ? mark(before) : "";
  shown.replaceWith(fresh);
  for (const summary of fresh.querySelectorAll("details summary")) {
    if (open.has(summary.textContent)) summary.parentElement.open = true;
  }
  // Nobody's words are taken from under their hands, and nobody loses their place.
  for (const one of written) {
    const same = document.getElementById(one.id);
    if (same) same.value = one.value;
  }
  const after = focused && [...fresh.querySelectorAll("a, button, summary, input")].find((one) => mark(one) === focused);
  if (after) {
    after.focus({ preventScroll: true });
    if (after.matches("input")) after.setSelectionRange(before.selectionStart, before.selectionEnd);
  }
  const rows = [...fresh.querySelectorAll("#moments li[id]")].filter((row) => !known.has(row.id));
  for (const row of rows) row.classList.add("is-new");
  news.textContent = rows.map((row) => row.querySelector("h3").textContent).join(". ");
}

// What tells a link, a button or a field from the others, before and after.
function mark(one) {
  const where = one.closest("form")?.getAttribute("action") ?? one.getAttribute("href");
  return [one.tagName, one.id, where, one.textContent].join(" ");
}

stayLive({
  path: `/live/customers/${customer}`,
  ask: takeParts,
  say: { live: "Live", away: "Not connected; trying again", waiting: "Connecting" },
});
