"""What became of something a customer asked a person for, from its events. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from customers.projections.facts import Fact, in_order, moment, text
from customers.types import VERIFIED

PREFIX = "request:"

REQUESTED = "Callback Requested"
ANSWERED = "Request Answered"
CLOSED = "Request Closed"
NAMES = frozenset({REQUESTED, ANSWERED, CLOSED})
_KIND = "callback"


class RequestState(msgspec.Struct):
    reference: str
    kind: str
    status: str
    subject: str
    channel: str
    opened_at: datetime
    version: int
    wanted_at: datetime | None = None
    closed_at: datetime | None = None
    details: dict[str, object] = {}


def fold(reference: str, facts: Iterable[Fact]) -> RequestState | None:
    """Return the request that these facts amount to; None where nobody requested anything.

    An open request gives us a right to speak, so nobody opens one by claiming to be somebody.
    """
    counting = [fact for fact in in_order(facts) if fact.evidence == VERIFIED]
    state: RequestState | None = None
    for fact in counting:
        if fact.name == REQUESTED:
            state = _requested(reference, fact, state)
    for fact in counting:
        # The answer may arrive before the request.
        if state and fact.name in (ANSWERED, CLOSED):
            _close(state, fact)
            state.version = max(state.version, fact.version)
    return state


def _requested(reference: str, fact: Fact, before: RequestState | None) -> RequestState:
    """Return the request; where it was made again, the newer one counts, and it stays one."""
    return RequestState(
        reference=reference,
        kind=_KIND,
        status="open",
        subject=text(fact.properties, "subject")[:500],
        channel=before.channel if before else fact.channel,
        opened_at=before.opened_at if before else fact.occurred_at,
        version=fact.version if before is None else max(before.version, fact.version),
        wanted_at=moment(fact.properties.get("wanted_at")),
        details={"by": fact.actor} if fact.actor else {},
    )


def _close(state: RequestState, fact: Fact) -> None:
    # Answered is more than closed: a desk that tidies up later does not take it back.
    if state.status != "answered":
        state.status = "answered" if fact.name == ANSWERED else "closed"
        state.closed_at = fact.occurred_at
    if outcome := text(fact.properties, "outcome", "note"):
        state.details = {**state.details, "outcome": outcome[:500]}
