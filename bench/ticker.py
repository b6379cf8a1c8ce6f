"""One process that ticks for bench.due: `python -m bench.ticker`, told by its input when to go.

Its clock begins at a given noon when the given monotonic time begins, so that nothing depends
on the hour at which somebody measures.
"""

import sys
import time
from datetime import datetime, timedelta

import django
import msgspec

django.setup()

from django.db import connection  # noqa: E402  after django.setup()

from butler.due import tick as ticking  # noqa: E402  after django.setup()


def main() -> None:
    connection.ensure_connection()
    print("ready", flush=True)
    noon, began, seconds = msgspec.json.decode(
        sys.stdin.readline(), type=tuple[datetime, float, float]
    )
    late: list[float] = []
    while True:
        elapsed = time.monotonic() - began
        tasks = ticking.claim(now=noon + timedelta(seconds=elapsed))
        for duty, some in ticking.by_duty(tasks):
            ticking.do_all(duty, list(some), now=noon + timedelta(seconds=elapsed))
        done = time.monotonic() - began
        late += [done - (task.due_at - noon).total_seconds() for task in tasks]
        if not tasks:
            if done >= seconds:
                break
            # As often as a busy day rings; beat alone would be once a second.
            time.sleep(0.05)
    print(msgspec.json.encode(late).decode(), flush=True)


if __name__ == "__main__":
    main()
