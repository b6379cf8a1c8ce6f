// What every page that is live has: it hears of events on the stream, and asks for what changed.
//
// The stream is read by fetch and not by EventSource: frames are named after their events,
// which EventSource only hands to listeners that know the name, and a ticket serves once, so
// that every connection needs a new one anyway.

const status = document.getElementById("status");
const words = status.querySelector("span");
const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
const { live, ticket } = status.dataset;

let version = Number(status.dataset.version);
let wait = 500;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function show(state, text) {
  status.dataset.state = state;
  words.textContent = text;
}

// The page is as new as this.
export function sawVersion(shown) {
  version = Math.max(version, Number(shown));
}

// Who is signed in may have changed; twice in a row, reloading is not what helps.
export function startAgain() {
  const last = Number(sessionStorage.getItem("startedAgain"));
  if (Date.now() - last < 10_000) throw new Error("reloading did not help");
  sessionStorage.setItem("startedAgain", String(Date.now()));
  location.reload();
}

// However many events come at once, there is one question under way and one to follow.
function oneAtATime(ask) {
  let isAsking = false;
  let mustAsk = false;
  return async () => {
    mustAsk = true;
    if (isAsking) return;
    isAsking = true;
    for (let failures = 0; mustAsk; ) {
      mustAsk = false;
      try {
        await ask();
        failures = 0;
      } catch {
        mustAsk = true;
        failures += 1;
        await pause(Math.min(500 * failures, 15_000));
      }
    }
    isAsking = false;
  };
}

// Stay connected to the stream at `path`, call `ask` for what changed, and say how it goes.
export function stayLive({ path, ask, say }) {
  const refresh = oneAtATime(ask);

  function hear(frame) {
    const fields = Object.fromEntries(
      frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
    );
    if (fields.event === "hello") {
      wait = 500;
      show("live", say.live);
      if (JSON.parse(fields.data).version > version) refresh();
    } else if (fields.event === "joined" || Number(fields.id) > version) {
      if (fields.id) version = Number(fields.id);
      refresh();
    }
  }

  async function follow() {
    const asked = await fetch(ticket, { method: "POST", headers: { "X-CSRFToken": csrf, Accept: "application/json" } });
    if (asked.status === 401 || asked.status === 403) startAgain();
    if (!asked.ok) throw new Error(`ticket: ${asked.status}`);
    const given = await asked.json();
    const stream = await fetch(`${live}${path}?after=${version}&ticket=${encodeURIComponent(given.ticket)}`);
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

  async function stayConnected() {
    for (;;) {
      try {
        show("waiting", say.waiting);
        await follow();
      } catch {
        show("away", say.away);
        await pause(wait + Math.random() * wait);
        wait = Math.min(wait * 2, 15_000);
      }
    }
  }

  // A browser that puts a page aside closes its streams; back from there it is out of date.
  addEventListener("pageshow", (event) => event.persisted && refresh());
  stayConnected();
  return refresh;
}
