"""What providers' reports prove of a message, in whatever order they come. Pure.

Each report places the message on one scale and the highest place counts, so the same reports
lead to the same end however they are ordered, doubled or late.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

# The states of a message, from knowing nothing to what nothing can undo. That it bounced comes
# after that it was delivered: a relay takes a letter, and gives it back hours later.
_SCALE = (
    {"queued"},
    {"sending"},
    {"suppressed", "expired", "withdrawn"},
    {"uncertain"},
    {"accepted"},
    {"rejected"},
    {"failed"},
    {"delivered"},
    {"bounced"},
    {"complained"},
)
_PLACE = {state: place for place, states in enumerate(_SCALE) for state in states}

# Where each kind of report places a message; one that is deferred is where it was.
KINDS: dict[str, str] = {
    "deferred": "",
    "accepted": "accepted",
    # The provider would not, this once.
    "rejected": "rejected",
    # The provider would not, because the number said STOP.
    "stopped": "rejected",
    # It did not arrive; the address may well be good.
    "failed": "failed",
    "delivered": "delivered",
    "opened": "delivered",
    "clicked": "delivered",
    # It did not arrive, and nothing ever will there.
    "bounced": "bounced",
    "complained": "complained",
}
# Reports after which nothing goes to the address any more, and why.
SUPPRESSES = {"bounced": "bounced", "complained": "complained", "stopped": "stopped"}
# Reports that say it had left us.
LEFT = frozenset({"accepted", "failed", "delivered", "opened", "clicked", "bounced", "complained"})


class Report(msgspec.Struct, frozen=True):
    """What a provider says of one message."""

    # The same whenever the provider says it again.
    event_id: str
    # One of KINDS.
    kind: str
    occurred_at: datetime
    # How the provider calls the message; and how we do, as far as the report says.
    provider_id: str = ""
    message_id: str = ""
    # A code, such as "5.1.1" or "30003"; never an address or a word of the message.
    detail: str = ""


class Standing(msgspec.Struct, frozen=True):
    """Where a message is, and why."""

    state: str
    reason: str = ""
    at: datetime | None = None


def settle(now: Standing, reports: Iterable[Report]) -> Standing:
    """Return where a message is after all that was ever reported of it."""
    known = [report for report in reports if KINDS.get(report.kind)]
    if not known:
        return now
    best = min(known, key=_rank)
    if _PLACE[KINDS[best.kind]] < _PLACE[now.state]:
        return now
    reason = "" if _PLACE[KINDS[best.kind]] == _PLACE["delivered"] else best.detail
    return Standing(KINDS[best.kind], reason, best.occurred_at)


def _rank(report: Report) -> tuple[int, datetime, str]:
    """Order reports: the highest place first, then the earliest, then by name."""
    return -_PLACE[KINDS[report.kind]], report.occurred_at, report.event_id
