"""Sends COUNT events with rudder-sdk-python: URL KEY COUNT PREFIX; prints the errors."""

import sys

from rudderstack.analytics.client import Client

url, key, count, prefix = sys.argv[1:]
errors = []
client = Client(
    key,
    host=url,
    upload_size=10,
    upload_interval=0.05,
    timeout=1,
    on_error=lambda error, items: errors.append(f"{error!r} for {len(items)}"),
)
for n in range(int(count)):
    user, message_id = f"{prefix}-guest-{n % 7}", f"{prefix}-{n}"
    if n % 2:
        client.identify(user, {"name": f"Guest {n % 7}"}, message_id=message_id)
    else:
        client.track(user, "Ride Entered", {"ride": n}, message_id=message_id)
client.flush()
client.join()
print(*errors, sep="\n", end="")
