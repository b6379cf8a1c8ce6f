// What every page of a customer does where there is a script: times in the reader's own zone,
// and a message that was opened counts as read. Without this script both still work.

const language = document.documentElement.lang;
const locale = navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
const minutes = { hour: "2-digit", minute: "2-digit" };
const formats = {
  time: new Intl.DateTimeFormat(locale, minutes),
  time_with_seconds: new Intl.DateTimeFormat(locale, { ...minutes, second: "2-digit" }),
  timestamp: new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", ...minutes }),
  year: new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", ...minutes }),
};

// Times come in the server's zone and say so; here they turn into the reader's own.
export function localize(root) {
  for (const time of root.querySelectorAll("time[data-format]")) {
    const at = new Date(time.dateTime);
    const isOld = time.dataset.format === "timestamp" && at.getFullYear() !== new Date().getFullYear();
    time.textContent = formats[isOld ? "year" : time.dataset.format].format(at);
  }
}

// Only what somebody can see is read: a tab in the background waits until it is looked at.
async function markRead(form) {
  if (document.visibilityState !== "visible") {
    document.addEventListener("visibilitychange", () => markRead(form), { once: true });
    return;
  }
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
  if (answer.type === "opaqueredirect") form.hidden = true;
}

localize(document);
// Browsers do not focus what came of a form where the address names a place on the page.
document.querySelector(".alert")?.focus({ preventScroll: true });
const unread = document.getElementById("read");
if (unread) markRead(unread).catch(() => {});
