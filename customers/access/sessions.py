"""Reads the records that the session of a customer opens, and the one that the customer chose."""

from typing import NamedTuple

from django.contrib.sessions.backends.base import SessionBase

from customers.identity.openable_graph import (
    CHOSEN,
    PROVED,
    OpenableGraph,
    SessionProofs,
    chosen_record,
    read_openable,
)
from customers.identity.opening_rules import Opening
from customers.models import User
from customers.types import OpenedRecord


class SessionOpening(NamedTuple):
    """The records that a session opens, and the record that it shows."""

    opening: Opening
    # None if nothing opens, or if the customer has to choose.
    chosen: OpenedRecord | None

    @property
    def has_choice(self) -> bool:
        """True if the customer has to choose one of several records."""
        return self.chosen is None and bool(self.opening.records)


def read_opening(user: User, session: SessionBase) -> SessionOpening:
    """Return the records that the session of this login opens."""
    return session_opening(read_openable(session_proofs(user, session)), session)


def session_opening(graph: OpenableGraph, session: SessionBase) -> SessionOpening:
    """Return the records of this graph that the session opens, and the chosen one."""
    opening = graph.open()
    return SessionOpening(opening, chosen_record(opening, session.get(CHOSEN)))


def session_proofs(user: User, session: SessionBase) -> SessionProofs:
    """Return the proofs of the session of this login."""
    return SessionProofs(user.record_id, user.address, tuple(session.get(PROVED, ())))


def save_or_end(session: SessionBase) -> None:
    """Save the session; empty it if it ended in this request, because its address was removed."""
    if session.session_key and session.exists(session.session_key):
        session.save()
    else:
        session.flush()
