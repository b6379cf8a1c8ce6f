// Signs in with passkeys, and creates them. The forms are hidden without this script, and in a browser
// that has no passkeys.

const FIELDS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
// The server forgets a challenge after five minutes.
const FRESH_MILLISECONDS = 240_000;

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

async function fetchOptions(form) {
  const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  const answer = await fetch(form.dataset.options, { method: "POST", headers });
  if (!answer.ok) throw new Error(`options: ${answer.status}`);
  const { publicKey } = await answer.json();
  return publicKey;
}

function sendCredential(form, credential) {
  const response = {};
  for (const name of FIELDS) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  response.transports = credential.response.getTransports?.() ?? [];
  const { id, type } = credential;
  const rawId = toText(credential.rawId);
  form.elements.credential.value = JSON.stringify({ id, rawId, type, response, clientExtensionResults: {} });
  form.submit();
}

function showError(form, text) {
  const error = form.querySelector("[role=alert]");
  error.textContent = text;
  error.hidden = false;
}

// Runs the steps of a pressed button, which does nothing while they run.
function onSubmit(form, steps) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.ariaBusy) return;
    button.ariaBusy = "true";
    try {
      sendCredential(form, await steps());
    } catch (error) {
      const { textExists, textFailed } = form.dataset;
      showError(form, error.name === "InvalidStateError" ? textExists : textFailed);
      button.ariaBusy = null;
    }
  });
}

// Signing in ---------------------------------------------------------------------------

async function signIn(form, choices) {
  const options = await fetchOptions(form);
  const publicKey = { ...options, challenge: toBytes(options.challenge) };
  return navigator.credentials.get({ publicKey, ...choices });
}

async function offerSignIn(form) {
  let offer = new AbortController();
  let offeredAt = 0;

  // The browser offers passkeys where the address is entered, until one is used.
  async function offerPasskeys() {
    offer.abort();
    offer = new AbortController();
    offeredAt = Date.now();
    const credential = await signIn(form, { mediation: "conditional", signal: offer.signal });
    sendCredential(form, credential);
  }

  function renewOffer() {
    const isOld = Date.now() - offeredAt > FRESH_MILLISECONDS;
    if (document.visibilityState === "visible" && isOld) offerPasskeys().catch(() => {});
  }

  onSubmit(form, () => {
    offer.abort();
    return signIn(form, {});
  });
  form.hidden = false;
  // After a refusal, the browser would offer the refused passkey again at once.
  if (document.querySelector("[role=alert]:not([hidden])")) return;
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  offerPasskeys().catch(() => {});
  setInterval(renewOffer, 10_000);
  document.addEventListener("visibilitychange", renewOffer);
}

// Creating -----------------------------------------------------------------------------

async function create(form) {
  const options = await fetchOptions(form);
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: options.excludeCredentials.map((excluded) => ({ ...excluded, id: toBytes(excluded.id) })),
  };
  return navigator.credentials.create({ publicKey });
}

if (window.PublicKeyCredential) {
  const signInForm = document.getElementById("passkey-sign-in");
  const creationForm = document.getElementById("passkey-creation");
  if (signInForm) offerSignIn(signInForm);
  if (creationForm) {
    onSubmit(creationForm, () => create(creationForm));
    creationForm.hidden = false;
    document.getElementById("passkey-unavailable").hidden = true;
  }
}
