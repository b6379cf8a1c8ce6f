"""One process that sends, as Butler does or by smtplib alone.

    python -m bench.sender email 1234.5            hands over whatever waits for this channel
    python -m bench.sender FILE 1234.5 500 PORT    the email in FILE, so often, by smtplib alone

Both begin at the same moment, in monotonic seconds, and print one line of JSON at their end.
"""

import json
import os
import smtplib
import sys
import time
from pathlib import Path


def send(channel: str, begins_at: float) -> dict[str, float]:
    """Send messages until none waits, with all gates and outcomes."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.db import connections
    from django.utils import timezone

    from channels import deliveries
    from customers.models import Customer

    # Connect before the measurement, like a running worker.
    Customer.objects.exists()
    time.sleep(max(0.0, begins_at - time.monotonic()))
    began = time.monotonic()
    accepted = empty_batches = 0
    # Messages that another sender holds may return to the queue.
    while empty_batches < 3:
        counts = deliveries.deliver(channel, clock=timezone.now, seconds=600)
        accepted += counts.accepted
        empty_batches = 0 if counts.claimed else empty_batches + 1
        time.sleep(0.02 * empty_batches)
    ended = time.monotonic()
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
    return {"accepted": accepted, "began": began, "ended": ended}


def bare(email: Path, begins_at: float, count: int, port: int) -> dict[str, float]:
    """Send the same email again and again over one connection."""
    content = email.read_bytes()
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as connection:
        connection.ehlo()
        time.sleep(max(0.0, begins_at - time.monotonic()))
        began = time.monotonic()
        for number in range(count):
            connection.sendmail("butler@localhost", [f"guest-{number}@example.com"], content)
        ended = time.monotonic()
    return {"accepted": count, "began": began, "ended": ended}


def main(arguments: list[str]) -> None:
    channel_or_file, begins_at, *bare_arguments = arguments
    if bare_arguments:
        count, port = map(int, bare_arguments)
        times = bare(Path(channel_or_file), float(begins_at), count, port)
    else:
        times = send(channel_or_file, float(begins_at))
    print(json.dumps(times))


if __name__ == "__main__":
    main(sys.argv[1:])
