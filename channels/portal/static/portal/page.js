// What every page of a customer does where there is a script: times in the reader's own zone,
// and a message that was opened counts as read. Without this script both still work.

const language = document.documentElement.lang;
const speech = navigator.languages.find((one) => one.startsWith(language)) ?? language;
const minutes = { hour: "2-digit", minute: "2-digit" };
const forms = {
  clock: new Intl.DateTimeFormat(speech, minutes),
  second: new Intl.DateTimeFormat(speech, { ...minutes, second: "2-digit" }),
  moment: new Intl.DateTimeFormat(speech, { weekday: "short", day: "numeric", month: "short", ...minutes }),
  year: new Intl.DateTimeFormat(speech, { day: "numeric", month: "short", year: "numeric", ...minutes }),
};

// Times come in the server's zone and say so; here they turn into the reader's own.
export function localize(root) {
  for (const time of root.querySelectorAll("time[data-form]")) {
    const at = new Date(time.dateTime);
    const isOld = time.dataset.form === "moment" && at.getFullYear() !== new Date().getFullYear();
    time.textContent = forms[isOld ? "year" : time.dataset.form].format(at);
  }
}

// Only what somebody can see is read: a tab in the background waits until it is looked at.
async function read(form) {
  if (document.visibilityState !== "visible") {
    document.addEventListener("visibilitychange", () => read(form), { once: true });
    return;
  }
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
  if (answer.type === "opaqueredirect") form.hidden = true;
}

localize(document);
// Browsers do not focus what came of a form where the address names a place on the page.
document.querySelector(".told")?.focus({ preventScroll: true });
const unread = document.getElementById("read");
if (unread) read(unread).catch(() => {});
