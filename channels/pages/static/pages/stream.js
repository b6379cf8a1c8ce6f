// What every page that is live has: it hears of events on the stream, and asks for what changed.
//
// The stream is read by fetch and not by EventSource: frames are named after their events,
// which EventSource only hands to listeners that know the name, and a ticket serves once, so
// that every connection needs a new one anyway.

const status = document.getElementById("status");
const label = status.querySelector("span");
const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
const { live, ticket } = status.dataset;

let version = Number(status.dataset.version);
let { customer } = status.dataset; // the record that the page shows
let wait = 500;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function show(state, text) {
  status.dataset.state = state;
  label.textContent = text;
}

// The page is as new as this.
export function noteVersion(shownVersion) {
  version = Math.max(version, Number(shownVersion));
}

// Who is signed in may have changed; twice in a row, reloading is not what helps.
export function reloadPage() {
  const last = Number(sessionStorage.getItem("reloadedAt"));
  if (Date.now() - last < 10_000) throw new Error("reloading did not help");
  sessionStorage.setItem("reloadedAt", String(Date.now()));
  location.reload();
}

// However many events come at once, there is one question under way and one to follow.
function coalesce(request) {
  let isRunning = false;
  let isDue = false;
  return async () => {
    isDue = true;
    if (isRunning) return;
    isRunning = true;
    for (let failures = 0; isDue; ) {
      isDue = false;
      try {
        await request();
        failures = 0;
      } catch {
        isDue = true;
        failures += 1;
        await pause(Math.min(500 * failures, 15_000));
      }
    }
    isRunning = false;
  };
}

// Stay connected to the stream at `path`, call `fetchParts` after each change, and show the state
// of the connection.
export function followRecord({ path, fetchParts, texts }) {
  const refresh = coalesce(fetchParts);

  function handleFrame(frame) {
    const fields = Object.fromEntries(
      frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
    );
    if (fields.event === "hello") {
      wait = 500;
      show("live", texts.live);
      const hello = JSON.parse(fields.data);
      // Another tab of this session may have chosen another account, with a log of its own.
      if (hello.customer !== customer) version = 0;
      if (hello.version > version) refresh();
      customer = hello.customer;
    } else if (fields.event === "joined" || Number(fields.id) > version) {
      if (fields.id) version = Number(fields.id);
      refresh();
    }
  }

  async function readStream() {
    const response = await fetch(ticket, { method: "POST", headers: { "X-CSRFToken": csrf, Accept: "application/json" } });
    // The session ended, or the customer has to choose an account.
    if ([401, 403, 409].includes(response.status)) reloadPage();
    if (!response.ok) throw new Error(`ticket: ${response.status}`);
    const body = await response.json();
    const stream = await fetch(`${live}${path}?after=${version}&ticket=${encodeURIComponent(body.ticket)}`);
    if (!stream.ok) throw new Error(`stream: ${stream.status}`);
    const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value;
      const frames = buffer.split("\n\n");
      buffer = frames.pop();
      frames.forEach(handleFrame);
    }
  }

  async function stayConnected() {
    for (;;) {
      try {
        show("waiting", texts.waiting);
        await readStream();
      } catch {
        show("away", texts.away);
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
