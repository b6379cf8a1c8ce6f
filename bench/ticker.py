"""One process that ticks for bench.due: `python -m bench.ticker`, which reads its start from standard input.

Its clock begins at a given noon when the given monotonic time begins, so that no
measurement depends on the hour of its start.
"""

import sys
import time
from datetime import datetime, timedelta

import django
import msgspec

django.setup()

from django.db import connection  # noqa: E402  after django.setup()

from butler.due import queue  # noqa: E402  after django.setup()
from butler.due.tick import group_by_job, run_job  # noqa: E402  after django.setup()


def main() -> None:
    connection.ensure_connection()
    print("ready", flush=True)
    noon, began, seconds = msgspec.json.decode(
        sys.stdin.readline(), type=tuple[datetime, float, float]
    )
    seconds_late: list[float] = []
    while True:
        elapsed = time.monotonic() - began
        dues = queue.claim(now=noon + timedelta(seconds=elapsed))
        for job, group in group_by_job(dues):
            run_job(job, list(group), now=noon + timedelta(seconds=elapsed))
        elapsed = time.monotonic() - began
        seconds_late += [elapsed - (due.due_at - noon).total_seconds() for due in dues]
        if not dues:
            if elapsed >= seconds:
                break
            # As often as notifications on a busy day. Beat alone ticks once a second.
            time.sleep(0.05)
    print(msgspec.json.encode(seconds_late).decode(), flush=True)


if __name__ == "__main__":
    main()
