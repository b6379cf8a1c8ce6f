// Sends COUNT events with @rudderstack/rudder-sdk-node: URL KEY COUNT PREFIX; prints the errors.
const RudderAnalytics = require("@rudderstack/rudder-sdk-node");

const [url, writeKey, count, prefix] = process.argv.slice(2);

async function main() {
  const errors = [];
  const analytics = new RudderAnalytics(writeKey, {
    dataPlaneUrl: url,
    flushAt: 10,
    flushInterval: 50,
    logLevel: "none",
    // By itself it gives up after three repetitions, and drops what it has.
    retryCount: 10,
    errorHandler: (error) => errors.push(String(error)),
  });
  const answers = [];
  for (let n = 0; n < Number(count); n++) {
    const common = { userId: `${prefix}-guest-${n % 7}`, messageId: `${prefix}-${n}` };
    answers.push(
      new Promise((resolve) => {
        if (n % 2) {
          analytics.identify({ ...common, traits: { name: `Guest ${n % 7}` } }, resolve);
        } else {
          analytics.track({ ...common, event: "Ride Entered", properties: { ride: n } }, resolve);
        }
      }),
    );
  }
  const flushing = setInterval(() => analytics.flush().catch(() => {}), 100);
  await Promise.all(answers);
  clearInterval(flushing);
  process.stdout.write(errors.join("\n"));
  process.exit(0);
}

main();
