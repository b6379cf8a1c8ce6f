"""Limits the attempts of a subject, such as an address, to a number in 15 minutes.

An attempt is counted in a separate transaction before it is checked. So the limit also holds for
attempts that arrive at the same time.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from customers.models import AttemptCount

WINDOW = timedelta(minutes=15)


class TooManyAttempts(Exception):
    """Too many attempts within 15 minutes. The next attempt is allowed in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class AttemptLimit(NamedTuple):
    """The number of attempts (`tries`) that are allowed within 15 minutes."""

    name: str
    tries: int


def count_attempt(limit: AttemptLimit, subject: str, now: datetime) -> None:
    """Count an attempt; raise TooManyAttempts if it exceeds the limit."""
    start = _window(now)
    # Durable: inside an outer transaction, the error of a wrong attempt would undo the count.
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_COUNT_ATTEMPT, [_subject(limit, subject), start])
        [tries] = cursor.fetchone()
    if tries > limit.tries:
        raise TooManyAttempts(math.ceil((start + WINDOW - now).total_seconds()))


_COUNT_ATTEMPT = """
INSERT INTO customers_attemptcount AS attempts (subject, "window", tries) VALUES (%s, %s, 1)
    ON CONFLICT (subject, "window") DO UPDATE SET tries = attempts.tries + 1
RETURNING tries
"""


def reset_attempts(limit: AttemptLimit, subject: str, now: datetime) -> None:
    """Reset the count after a success, so that occasional mistakes do not add up."""
    AttemptCount.objects.filter(subject=_subject(limit, subject), window=_window(now)).delete()


def _window(now: datetime) -> datetime:
    length = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // length * length, tz=UTC)


def _subject(limit: AttemptLimit, subject: str) -> bytes:
    salt = f"customers.staff_sign_in.{limit.name}"
    return salted_hmac(salt, subject, algorithm="sha256").digest()[:16]
