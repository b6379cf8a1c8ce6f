// Sends COUNT events with @segment/analytics-node: URL KEY COUNT PREFIX; prints the errors.
const { Analytics } = require("@segment/analytics-node");

const [url, writeKey, count, prefix] = process.argv.slice(2);

async function main() {
  const errors = [];
  const analytics = new Analytics({
    writeKey,
    host: url,
    maxEventsInBatch: 10,
    flushInterval: 50,
    httpRequestTimeout: 1000,
    maxRetries: 10,
  });
  analytics.on("error", (error) => errors.push(JSON.stringify(error)));
  for (let n = 0; n < Number(count); n++) {
    const common = { userId: `${prefix}-guest-${n % 7}`, messageId: `${prefix}-${n}` };
    const say = [
      () => analytics.identify({ ...common, traits: { name: `Guest ${n % 7}` } }),
      () => analytics.page({ ...common, name: "Map", properties: { zoom: n } }),
      () => analytics.screen({ ...common, name: "Waits", properties: { rides: n } }),
      () => analytics.group({ ...common, groupId: "family-1", traits: { size: 4 } }),
      () => analytics.alias({ ...common, previousId: `${prefix}-device-${n % 7}` }),
      () => analytics.track({ ...common, event: "Ride Entered", properties: { ride: n } }),
    ];
    say[n % say.length]();
  }
  await analytics.closeAndFlush({ timeout: 60000 });
  process.stdout.write(errors.join("\n"));
}

main();
