// Keeps the page at the newest version of the record: asks for the parts that changed, and says
// how many milliseconds that took.

import { localize } from "./page.js";
import { noteVersion, reloadPage, followRecord } from "../pages/stream.js";

const announcement = document.getElementById("announcement");
const { clock, textLive, textAway, textWaiting, textAfter } = document.getElementById("status").dataset;

let offset = 0; // what to add to this clock to get the server's
let headlines = []; // headlines of what is new, for who listens to the page

// The clock ---------------------------------------------------------------------------

async function setClock() {
  let best = Infinity;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const sentAt = Date.now();
    const start = performance.now();
    const { now } = await (await fetch(clock)).json();
    const elapsed = performance.now() - start;
    // The quickest answer says it best: its two ways differ the least.
    if (elapsed < best) {
      best = elapsed;
      offset = now - (sentAt + elapsed / 2);
    }
  }
}

// The page ----------------------------------------------------------------------------

async function fetchParts() {
  const answer = await fetch("?parts");
  if (!answer.ok) throw new Error(`parts: ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = page.getElementById("parts");
  if (!parts) return reloadPage(); // signed out meanwhile
  const focused = document.activeElement?.id;
  const openSummaries = new Set([...document.querySelectorAll("details[open] summary")].map((summary) => summary.textContent));
  headlines = [];
  for (const part of parts.content.querySelectorAll("[data-part]")) replace(part);
  if (headlines.length) announcement.textContent = headlines.join(". ");
  for (const summary of document.querySelectorAll("details summary")) {
    if (openSummaries.has(summary.textContent)) summary.parentElement.open = true;
  }
  // Who works by keyboard stays on the button that was pressed.
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
  noteVersion(parts.dataset.version);
}

// Rows that tell what happened stay as they are; others may change under the same name.
function replace(part) {
  const target = document.getElementById(part.dataset.part);
  if (!target) return;
  const existingRows = new Map([...target.querySelectorAll("li[id]")].map((row) => [row.id, row]));
  localize(part);
  target.replaceChildren(...part.childNodes);
  if (!("announced" in target.dataset)) return;
  const rows = [...target.querySelectorAll("li[id]")];
  for (const row of rows) {
    if (!existingRows.has(row.id)) markNew(row);
    else if (row.dataset.recorded) row.replaceWith(existingRows.get(row.id));
  }
  const newRows = rows.filter((row) => !existingRows.has(row.id));
  headlines.push(...newRows.map((row) => row.querySelector("h3, strong").textContent));
}

function markNew(row) {
  row.classList.add("is-new");
  const latency = row.querySelector(".latency");
  if (!latency) return;
  const elapsed = Math.max(1, Math.round(Date.now() + offset - Number(row.dataset.recorded)));
  // What was recorded long ago is new to this page only: it was away.
  if (elapsed > 60_000) return;
  latency.textContent = `· ${textAfter.replace("{ms}", elapsed)}`;
  latency.hidden = false;
}

// The buttons of an example act without leaving the page; without this script they still do.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-submit-in-place]")) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.setAttribute("aria-busy", "true");
  try {
    await fetch(form.action, { method: "POST", body: new FormData(form) });
  } finally {
    button.removeAttribute("aria-busy");
  }
});

setClock().catch(() => {});
followRecord({ path: "/live/me", fetchParts, texts: { live: textLive, away: textAway, waiting: textWaiting } });
