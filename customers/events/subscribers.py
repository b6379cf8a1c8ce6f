"""Calls functions with the stored events, inside the transaction that stores them.

The rows of a subscriber are committed if and only if the events are committed. A subscriber must be
fast, write rows in sets, and make no network calls, because the customers of the batch are locked
while it runs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from customers.types import LogEntry

type Subscriber = Callable[[Sequence[LogEntry], datetime], None]

_subscribers: list[Subscriber] = []


def register(subscriber: Subscriber) -> None:
    """Register a function that gets the entries of each batch and the time Butler received it."""
    if subscriber not in _subscribers:
        _subscribers.append(subscriber)


def notify_subscribers(entries: Sequence[LogEntry], received_at: datetime) -> None:
    """Call the subscribers in the order of their registration. Their errors propagate."""
    for subscriber in _subscribers:
        subscriber(entries, received_at)
