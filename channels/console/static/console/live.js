// Keeps an open record as it is: the stream says that something happened, then the page asks
// for its parts again.

import { noteVersion, reloadPage, followRecord } from "../pages/stream.js";

const announcement = document.getElementById("announcement");
const { customer } = document.getElementById("status").dataset;

async function fetchParts() {
  const answer = await fetch("?parts", { redirect: "manual" });
  if (answer.type === "opaqueredirect") return reloadPage(); // signed out meanwhile
  if (!answer.ok) throw new Error(`parts: ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("customer");
  const current = document.getElementById("customer");
  if (!fresh || !current) throw new Error("no parts");
  replacePage(document.adoptNode(fresh), current);
  noteVersion(fresh.dataset.version);
}

function replacePage(fresh, current) {
  const existingRows = new Set([...current.querySelectorAll("#timeline li[id]")].map((row) => row.id));
  const openSummaries = new Set([...current.querySelectorAll("details[open] summary")].map((element) => element.textContent));
  const edited = [...current.querySelectorAll("input[id]")].filter((element) => element.value !== element.defaultValue);
  const activeElement = document.activeElement;
  const focused = current.contains(activeElement) ? identify(activeElement) : "";
  current.replaceWith(fresh);
  for (const summary of fresh.querySelectorAll("details summary")) {
    if (openSummaries.has(summary.textContent)) summary.parentElement.open = true;
  }
  // Nobody's words are taken from under their hands, and nobody loses their place.
  for (const element of edited) {
    const field = document.getElementById(element.id);
    if (field) field.value = element.value;
  }
  const after = focused && [...fresh.querySelectorAll("a, button, summary, input")].find((element) => identify(element) === focused);
  if (after) {
    after.focus({ preventScroll: true });
    if (after.matches("input")) after.setSelectionRange(activeElement.selectionStart, activeElement.selectionEnd);
  }
  const rows = [...fresh.querySelectorAll("#timeline li[id]")].filter((row) => !existingRows.has(row.id));
  for (const row of rows) row.classList.add("is-new");
  announcement.textContent = rows.map((row) => row.querySelector("h4").textContent).join(". ");
}

// What tells a link, a button or a field from the others, before and after.
function identify(element) {
  const where = element.closest("form")?.getAttribute("action") ?? element.getAttribute("href");
  return [element.tagName, element.id, where, element.textContent].join(" ");
}

followRecord({
  path: `/live/customers/${customer}`,
  fetchParts,
  texts: { live: "Live", away: "Not connected; trying again", waiting: "Connecting" },
});
