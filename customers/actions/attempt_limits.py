"""Limits the attempts of a subject, such as an address, to a number in 15 minutes.

The answer to an attempt waits for the commit of its count. So the limit also holds for attempts
that arrive at the same time. An attempt that ends with an error, such as a lost connection to the
database, is not counted.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from customers.models import AttemptCount

WINDOW = timedelta(minutes=15)


class TooManyAttempts(Exception):
    """More than `tries` attempts within 15 minutes. The next attempt is allowed in `seconds`."""

    def __init__(self, seconds: int, tries: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.tries = tries


class AttemptLimit(NamedTuple):
    """The number of attempts (`tries`) that are allowed within 15 minutes."""

    name: str
    tries: int


class WrongProof(Exception):
    """The password or the code is wrong, so the attempt counts."""


@contextmanager
def counted_attempt(limit: AttemptLimit, subject: str, now: datetime) -> Iterator[None]:
    """Run a block in the transaction that counts the attempt, and reset the count at its end.

    WrongProof undoes the block but not the count; any other error undoes both. Simultaneous
    attempts of a subject wait for each other. Raises TooManyAttempts.
    """
    # Durable: inside an outer transaction, the error of a wrong attempt would undo the count.
    with transaction.atomic(durable=True):
        count_attempt(limit, subject, now)
        try:
            with transaction.atomic():
                yield
        except WrongProof as error:
            wrong_proof = error
        else:
            reset_attempts(limit, subject, now)
            return
    raise wrong_proof


def refuse_at_limit(limit: AttemptLimit, subject: str, now: datetime) -> None:
    """Raise TooManyAttempts if no further attempt is allowed. Counts nothing."""
    counts = AttemptCount.objects.filter(
        subject=attempt_subject(limit, subject), window=attempt_window(now)
    )
    if counts.filter(tries__gte=limit.tries).exists():
        raise too_many_attempts(limit, now)


def count_attempt(limit: AttemptLimit, subject: str, now: datetime) -> None:
    """Count an attempt in the open transaction; raise TooManyAttempts if it exceeds the limit."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_ATTEMPT, [attempt_subject(limit, subject), attempt_window(now)])
        [tries] = cursor.fetchone()
    if tries > limit.tries:
        raise too_many_attempts(limit, now)


def too_many_attempts(limit: AttemptLimit, now: datetime) -> TooManyAttempts:
    """Return the error that tells when the next window begins."""
    seconds = math.ceil((attempt_window(now) + WINDOW - now).total_seconds())
    return TooManyAttempts(seconds, limit.tries)


_COUNT_ATTEMPT = """
INSERT INTO customers_attemptcount AS attempts (subject, "window", tries) VALUES (%s, %s, 1)
    ON CONFLICT (subject, "window") DO UPDATE SET tries = attempts.tries + 1
RETURNING tries
"""


def reset_attempts(limit: AttemptLimit, subject: str, now: datetime) -> None:
    """Reset the count after a success, so that occasional mistakes do not add up."""
    AttemptCount.objects.filter(
        subject=attempt_subject(limit, subject), window=attempt_window(now)
    ).delete()


def attempt_window(now: datetime) -> datetime:
    """Return the start of the window of 15 minutes that a time lies in."""
    length = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // length * length, tz=UTC)


def attempt_subject(limit: AttemptLimit, subject: str) -> bytes:
    """Return the keyed digest by which the attempts of a subject are counted."""
    salt = f"customers.staff_sign_in.{limit.name}"
    return salted_hmac(salt, subject, algorithm="sha256").digest()[:16]
