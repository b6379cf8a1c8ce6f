"""Names who did something: a colleague who signed in, or a source with the person that it names.

Butler knows a colleague by the own session. A source only says for whom it speaks, so its name stands
first: "staff:Sam", but "source:call desk, for Sam".
"""

from typing import NamedTuple

from customers.types import BUTLER_SOURCE, CUSTOMER_SOURCES, STAFF_SOURCES

_FOR = ", for "
# Sources that are Butler itself. Their actors come from a session.
_INTERNAL = STAFF_SOURCES | CUSTOMER_SOURCES | {BUTLER_SOURCE}


class Actor(NamedTuple):
    """An actor of a log, in parts."""

    # "staff" for a colleague with a session, "source", or "" for the customer.
    kind: str
    # The colleague or the source.
    name: str
    # The person whom the source names; "" if it names none.
    person: str = ""


def actor_by_source(source_name: str, person: str = "") -> str:
    """Return a source as the actor of a log, with the person that it says it speaks for."""
    return f"source:{source_name}{_FOR}{person}" if person else f"source:{source_name}"


def stated_actor(actor: str, source_name: str) -> str:
    """Return the actor of an event of a source. Only Butler's own sources name a colleague."""
    if not actor or source_name in _INTERNAL or actor.startswith(f"source:{source_name}"):
        return actor
    return actor_by_source(source_name, actor.partition(":")[2] or actor)


def read_actor(actor: str) -> Actor:
    """Return the parts of an actor. A text that names nobody has no parts."""
    kind, _, name = actor.partition(":")
    if kind == "staff":
        return Actor(kind, name)
    if kind == "source":
        source, _, person = name.partition(_FOR)
        return Actor(kind, source, person)
    return Actor("", "")
