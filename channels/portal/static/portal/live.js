// Keeps the page at the newest version of the record: hears of events on the live stream, asks
// for the parts that changed, and says how many milliseconds that took.
//
// The stream is read by fetch and not by EventSource: frames are named after their events,
// which EventSource only hands to listeners that know the name, and a ticket serves once, so
// that every connection needs a new one anyway.

import { localize } from "./page.js";

const status = document.getElementById("status");
const text = status.querySelector("span");
const news = document.getElementById("news");
const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
const { live, ticket, clock, sayLive, sayAway, sayWaiting, sayAfter } = status.dataset;

let version = Number(status.dataset.version);
let offset = 0; // what to add to this clock to get the server's
let wait = 500;
let told = []; // headlines of what is new, for who listens to the page

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function show(state, words) {
  status.dataset.state = state;
  text.textContent = words;
}

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

let isAsking = false;
let mustAsk = false;

async function refresh() {
  mustAsk = true;
  // However many events come at once, there is one question under way and one to follow.
  if (isAsking) return;
  isAsking = true;
  for (let failures = 0; mustAsk; ) {
    mustAsk = false;
    try {
      await takeParts();
      failures = 0;
    } catch {
      mustAsk = true;
      failures += 1;
      await pause(Math.min(500 * failures, 15_000));
    }
  }
  isAsking = false;
}

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
  version = Math.max(version, Number(parts.dataset.version));
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

// Who is signed in may have changed; twice in a row, reloading is not what helps.
function startAgain() {
  const last = Number(sessionStorage.getItem("startedAgain"));
  if (Date.now() - last < 10_000) throw new Error("reloading did not help");
  sessionStorage.setItem("startedAgain", String(Date.now()));
  location.reload();
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

// The stream --------------------------------------------------------------------------

async function follow() {
  const asked = await fetch(ticket, { method: "POST", headers: { "X-CSRFToken": csrf, Accept: "application/json" } });
  if (asked.status === 401 || asked.status === 403) startAgain();
  if (!asked.ok) throw new Error(`ticket: ${asked.status}`);
  const given = await asked.json();
  const stream = await fetch(`${live}/live/me?after=${version}&ticket=${encodeURIComponent(given.ticket)}`);
  if (!stream.ok) throw new Error(`stream: ${stream.status}`);
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    const frames = waiting.split("\n\n");
    waiting = frames.pop();
    frames.forEach(hear);
  }
}

function hear(frame) {
  const fields = Object.fromEntries(
    frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
  if (fields.event === "hello") {
    wait = 500;
    show("live", sayLive);
    if (JSON.parse(fields.data).version > version) refresh();
  } else if (fields.event === "joined" || Number(fields.id) > version) {
    if (fields.id) version = Number(fields.id);
    refresh();
  }
}

async function stayConnected() {
  for (;;) {
    try {
      show("waiting", sayWaiting);
      await follow();
    } catch {
      show("away", sayAway);
      await pause(wait + Math.random() * wait);
      wait = Math.min(wait * 2, 15_000);
    }
  }
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

// A browser that puts a page aside closes its streams; back from there it is out of date.
addEventListener("pageshow", (event) => event.persisted && refresh());

setClock().catch(() => {});
stayConnected();
