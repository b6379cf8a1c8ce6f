"""Sends COUNT events with segment-analytics-python: URL KEY COUNT PREFIX; prints the errors."""

import sys

from segment.analytics.client import Client

url, key, count, prefix = sys.argv[1:]
errors = []
client = Client(
    key,
    host=url,
    upload_size=10,
    upload_interval=0.05,
    timeout=1,
    gzip=True,
    on_error=lambda error, items: errors.append(f"{error!r} for {len(items)}"),
)
for n in range(int(count)):
    user, message_id = f"{prefix}-guest-{n % 7}", f"{prefix}-{n}"
    kind = n % 6
    if kind == 0:
        client.identify(user, {"name": f"Guest {n % 7}"}, message_id=message_id)
    elif kind == 1:
        client.page(user, "Park", "Map", {"zoom": n}, message_id=message_id)
    elif kind == 2:
        client.screen(user, "Park", "Waits", {"rides": n}, message_id=message_id)
    elif kind == 3:
        client.group(user, "family-1", {"size": 4}, message_id=message_id)
    elif kind == 4:
        client.alias(f"{prefix}-device-{n % 7}", user, message_id=message_id)
    else:
        client.track(user, "Ride Entered", {"ride": n, "wait": 1.5}, message_id=message_id)
client.flush()
client.join()
print(*errors, sep="\n", end="")
