// Keeps the page at the newest version of the record: asks for the parts that changed, and says
// how many milliseconds that took.

import { localize } from "./page.js";
import { sawVersion, startAgain, stayLive } from "./stream.js";

const news = document.getElementById("news");
const { clock, sayLive, sayAway, sayWaiting, sayAfter } = document.getElementById("status").dataset;

let offset = 0; // what to add to this clock to get the server's
let told = []; // headlines of what is new, for who listens to the page

// The clock ---------------------------------------------------------------------------

async function setClock() {
  let best = Infinity;
  for (let turn = 0; turn < 3; turn += 1) {
    const asked = Date.now();
    const start = performance.now();
    const { now } = await (await fetch(clock)).json();
    const took = performance.now() - start;
    // The quickest answer says it best: its two ways differ the least.
    if (took < best) {
      best = took;
      offset = now - (asked + took / 2);
    }
  }
}

// The page ----------------------------------------------------------------------------

async function takeParts() {
  const answer = await fetch("?parts");
  if (!answer.ok) throw new Error(`parts: ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = page.getElementById("parts");
  if (!parts) return startAgain(); // signed out meanwhile
  const focused = document.activeElement?.id;
  const open = new Set([...document.querySelectorAll("details[open] summary")].map((s) => s.textContent));
  told = [];
  for (const part of parts.content.querySelectorAll("[data-part]")) replace(part);
  if (told.length) news.textContent = told.join(". ");
  for (const summary of document.querySelectorAll("details summary")) {
    if (open.has(summary.textContent)) summary.parentElement.open = true;
  }
  // Who works by keyboard stays on the button that was pressed.
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
  sawVersion(parts.dataset.version);
}

// Rows that tell what happened stay as they are; others may change under the same name.
function replace(part) {
  const place = document.getElementById(part.dataset.part);
  if (!place) return;
  const known = new Map([...place.querySelectorAll("li[id]")].map((row) => [row.id, row]));
  localize(part);
  place.replaceChildren(...part.childNodes);
  if (!("news" in place.dataset)) return;
  const rows = [...place.querySelectorAll("li[id]")];
  for (const row of rows) {
    if (!known.has(row.id)) welcome(row);
    else if (row.dataset.recorded) row.replaceWith(known.get(row.id));
  }
  const fresh = rows.filter((row) => !known.has(row.id));
  told.push(...fresh.map((row) => row.querySelector("h3, strong").textContent));
}

function welcome(row) {
  row.classList.add("is-new");
  const speed = row.querySelector(".speed");
  if (!speed) return;
  const took = Math.max(1, Math.round(Date.now() + offset - Number(row.dataset.recorded)));
  // What was recorded long ago is new to this page only: it was away.
  if (took > 60_000) return;
  speed.textContent = `· ${sayAfter.replace("{ms}", took)}`;
  speed.hidden = false;
}

// The buttons of an example act without leaving the page; without this script they still do.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-stay]")) return;
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
stayLive({ path: "/live/me", ask: takeParts, say: { live: sayLive, away: sayAway, waiting: sayWaiting } });
