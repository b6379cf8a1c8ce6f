"""Who is told of events as they are stored, inside the very transaction that stores them.

What a witness writes is there if and only if the events are. A witness is quick, writes sets,
and never calls the outside: the customers of the batch are locked while it works.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from customers.types import LogEntry

type Witness = Callable[[Sequence[LogEntry], datetime], None]

_witnesses: list[Witness] = []


def register(witness: Witness) -> None:
    """Have this called with the entries of every batch and the time we received it."""
    if witness not in _witnesses:
        _witnesses.append(witness)


def tell(entries: Sequence[LogEntry], received_at: datetime) -> None:
    for witness in _witnesses:
        witness(entries, received_at)
