"""Calls functions with the events that are stored, inside the transaction that stores them.

What a subscriber writes is there if and only if the events are. A subscriber is quick, writes
sets, and never calls the outside: the customers of the batch are locked while it works.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from customers.types import LogEntry

type Subscriber = Callable[[Sequence[LogEntry], datetime], None]

_subscribers: list[Subscriber] = []


def register(subscriber: Subscriber) -> None:
    """Have this called with the entries of every batch and the time we received it."""
    if subscriber not in _subscribers:
        _subscribers.append(subscriber)


def notify_subscribers(entries: Sequence[LogEntry], received_at: datetime) -> None:
    for subscriber in _subscribers:
        subscriber(entries, received_at)
