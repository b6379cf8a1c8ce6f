"""Writes and reads the actors of events: a signed-in colleague, or a source and the person it names.

Butler knows a colleague by the session: "staff:sam". It cannot check a name that a source states, so
the name of the source comes first: "source:call desk, for sam".
"""

from typing import NamedTuple

from customers.types import BUTLER_SOURCE, CUSTOMER_SOURCES, STAFF_SOURCES

_FOR = ", for "
# The sources that Butler itself writes through. Their actors come from sessions.
_BUTLER_SOURCES = STAFF_SOURCES | CUSTOMER_SOURCES | {BUTLER_SOURCE}


class Actor(NamedTuple):
    """The parts of an actor."""

    # "staff" (a colleague with a session), "source", or "" (the customer).
    kind: str
    # The colleague or the source.
    name: str
    # The person whom the source names; "" if it names none.
    person: str = ""


def actor_by_source(source_name: str, person: str = "") -> str:
    """Return the actor for a source, and for the person whom it names, if any."""
    return f"source:{source_name}{_FOR}{person}" if person else f"source:{source_name}"


def stated_actor(actor: str, source_name: str) -> str:
    """Return the actor of an event, with the source first if the event is not by Butler itself."""
    if not actor or source_name in _BUTLER_SOURCES or actor.startswith(f"source:{source_name}"):
        return actor
    return actor_by_source(source_name, actor.partition(":")[2] or actor)


def read_actor(actor: str) -> Actor:
    """Return the parts of an actor. All of them are empty if the text names nobody."""
    kind, _, name = actor.partition(":")
    if kind == "staff":
        return Actor(kind, name)
    if kind == "source":
        source, _, person = name.partition(_FOR)
        return Actor(kind, source, person)
    return Actor("", "")
