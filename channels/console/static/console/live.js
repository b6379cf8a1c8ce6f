// Keeps an open record as it is: the stream says that something happened, then the page asks
// for its parts again.

const status = document.getElementById("status");
const words = status.querySelector("span");
const news = document.getElementById("news");
const { customer, live, ticket } = status.dataset;
const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;

let version = Number(status.dataset.version);
let wait = 500;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function show(state, text) {
  status.dataset.state = state;
  words.textContent = text;
}

// Parts -------------------------------------------------------------------------------

let isAsking = false;
let mustAsk = false;

async function refresh() {
  mustAsk = true;
  if (isAsking) return;
  isAsking = true;
  for (let failures = 0; mustAsk; ) {
    mustAsk = false;
    try {
      await takeParts();
    } catch {
      mustAsk = true;
      failures += 1;
      await pause(Math.min(500 * failures, 15_000));
    }
  }
  isAsking = false;
}

async function takeParts() {
  const answer = await fetch("?parts", { redirect: "manual" });
  if (answer.type === "opaqueredirect") return location.reload();
  if (!answer.ok) throw new Error(`parts: ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("person");
  const shown = document.getElementById("person");
  if (!fresh || !shown) throw new Error("no parts");
  // Nobody's words are taken from under their hands.
  if (shown.querySelector("input:focus")) return void (mustAsk = false);
  const known = new Set([...shown.querySelectorAll("#moments li[id]")].map((row) => row.id));
  const open = new Set([...shown.querySelectorAll("details[open] summary")].map((one) => one.textContent));
  shown.replaceWith(fresh);
  for (const summary of fresh.querySelectorAll("details summary")) {
    if (open.has(summary.textContent)) summary.parentElement.open = true;
  }
  const rows = [...fresh.querySelectorAll("#moments li[id]")].filter((row) => !known.has(row.id));
  for (const row of rows) row.classList.add("is-new");
  news.textContent = rows.map((row) => row.querySelector("h3").textContent).join(". ");
  version = Math.max(version, Number(fresh.dataset.version));
}

// The stream --------------------------------------------------------------------------

async function follow() {
  const asked = await fetch(ticket, {
    method: "POST",
    headers: { "X-CSRFToken": csrf, Accept: "application/json" },
  });
  if (asked.status === 401) return location.reload();
  if (!asked.ok) throw new Error(`ticket: ${asked.status}`);
  const given = await asked.json();
  const query = `after=${version}&ticket=${encodeURIComponent(given.ticket)}`;
  const stream = await fetch(`${live}/live/customers/${customer}?${query}`);
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
    show("live", "Live");
    if (JSON.parse(fields.data).version > version) refresh();
  } else if (fields.event === "joined" || Number(fields.id) > version) {
    if (fields.id) version = Number(fields.id);
    refresh();
  }
}

async function stayConnected() {
  for (;;) {
    try {
      show("waiting", "Connecting");
      await follow();
    } catch {
      show("away", "Not connected; trying again");
      await pause(wait + Math.random() * wait);
      wait = Math.min(wait * 2, 15_000);
    }
  }
}

addEventListener("pageshow", (event) => event.persisted && refresh());
stayConnected();
