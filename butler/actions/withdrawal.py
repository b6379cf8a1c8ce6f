"""Withdrawal is a wall: once it is acknowledged, nothing of that kind is handed over.

The word is committed first; from then on every claim sees it. Then we wait until nothing of
this customer is in anybody's hand, and answer with what had already left.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from butler import sql
from butler.decisions.inputs import read_facts
from customers import db
from customers.actions import consent
from customers.actions.changes import ChangeAuthor
from customers.actions.consent import ConsentStatement, InvalidStatement, StatementReceipt

# Longer than any lease, so whoever waits is released by the lease itself.
PATIENCE = 20.0
# What left within this time is worth mentioning: it may still be on its way.
_RECENT = timedelta(hours=1)
_FIRST_LOOK = 0.004


class Left(NamedTuple):
    """One message that had left, or may have, before the word was heard."""

    message_id: UUID
    channel: str
    topic: str
    purpose: str
    subject: str
    # accepted, delivered, uncertain; "sending" only where patience ended first.
    state: str
    at: datetime


class Heard(NamedTuple):
    """What was said, and what had already left when we heard it."""

    said: StatementReceipt
    left: tuple[Left, ...]


def say(
    *,
    customer_id: UUID,
    words: Sequence[ConsentStatement],
    author: ChangeAuthor,
    now: datetime,
    patience: float = PATIENCE,
) -> Heard:
    """Take a customer's words; return once nothing that they forbid can leave any more.

    Must not be called inside a transaction: what is not committed stops nobody.
    Raises what customers.actions.consent.record_statements raises; also of a child's yes, which would not count.
    """
    _refuse_children(customer_id, words, now)
    said = consent.record_statements(
        customer_id=customer_id, statements=words, author=author, now=now
    )
    # The words are committed: a connection that breaks from here on changes nothing of that.
    left = db.again_if_lost(lambda: _left(said.customer_id, patience, now))
    return Heard(said, tuple(one for one in left if any(_concerns(word, one) for word in words)))


def _left(customer_id: UUID, patience: float, now: datetime) -> list[Left]:
    wait(customer_id, patience)
    params = {"customer": customer_id, "since": now - _RECENT}
    return [Left(*row) for row in sql.rows("find_left", params)]


def _refuse_children(customer_id: UUID, words: Sequence[ConsentStatement], now: datetime) -> None:
    alone = [one for one in words if one.kind == "consent.given" and not _is_by_guardian(one)]
    if not alone:
        return
    found = read_facts([customer_id], now=now).get(customer_id)
    if found is not None and found.is_of_age is False:
        raise InvalidStatement("not_of_age", "Somebody this young cannot agree alone.")


def _is_by_guardian(word: ConsentStatement) -> bool:
    return word.evidence.get("role") == "guardian"


def wait(customer_id: UUID, patience: float = PATIENCE) -> None:
    """Wait until no attempt for this live record is in anybody's hand.

    For words that were committed another way than by `say`.
    """
    deadline = time.monotonic() + patience
    pause = _FIRST_LOOK
    while sql.rows("find_in_hand", {"customer": customer_id}):
        if time.monotonic() > deadline:
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def _concerns(word: ConsentStatement, left: Left) -> bool:
    """Tell whether this message is of the kind that the word is about."""
    if word.kind.startswith(("consent.", "objection.")):
        return word.subject in (left.purpose, "marketing") and bool(left.purpose)
    return word.channel in ("*", left.channel) and word.topic in ("*", left.topic)
