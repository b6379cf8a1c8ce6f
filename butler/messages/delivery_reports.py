"""Computes the state of a message from its delivery reports, in any order. Pure.

Each report gives the message a state with a rank, and the highest rank counts. So reordered,
repeated and late reports lead to the same state.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

# The states of a message by rank, from unknown to final. A bounce ranks above a delivery: a relay
# may accept mail and return it hours later.
_STATES_BY_RANK = (
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
_RANK = {state: rank for rank, states in enumerate(_STATES_BY_RANK) for state in states}

# The state that each kind of report gives a message. A deferred message keeps its state.
STATE_BY_KIND: dict[str, str] = {
    "deferred": "",
    "accepted": "accepted",
    # The provider refused this message.
    "rejected": "rejected",
    # The provider refused the message, because the number had sent STOP.
    "stopped": "rejected",
    # The message did not arrive, but the address may be valid.
    "failed": "failed",
    "delivered": "delivered",
    "opened": "delivered",
    "clicked": "delivered",
    # The message did not arrive, because the address is invalid.
    "bounced": "bounced",
    "complained": "complained",
}
# Reports after which the address is suppressed, with the reason of the suppression.
SUPPRESSION_REASONS = {"bounced": "bounced", "complained": "complained", "stopped": "stopped"}
# Reports that prove that the provider had accepted the message.
PROVE_ACCEPTED = frozenset(
    {"accepted", "failed", "delivered", "opened", "clicked", "bounced", "complained"}
)


class DeliveryReport(msgspec.Struct, frozen=True):
    """One statement of a provider about one message."""

    # The id of the report, which is the same if the provider repeats it.
    event_id: str
    # A key of STATE_BY_KIND.
    kind: str
    occurred_at: datetime
    # The provider's id of the message, and our id if the report has it.
    provider_id: str = ""
    message_id: str = ""
    # A code such as "5.1.1" or "30003"; never an address or text of the message.
    detail: str = ""


class MessageStatus(msgspec.Struct, frozen=True):
    """The state of a message, its reason and its time."""

    state: str
    reason: str = ""
    at: datetime | None = None


def status_after(current: MessageStatus, reports: Iterable[DeliveryReport]) -> MessageStatus:
    """Return the status of a message after all reports about it."""
    relevant = [report for report in reports if STATE_BY_KIND.get(report.kind)]
    if not relevant:
        return current
    decisive = min(relevant, key=_order)
    state = STATE_BY_KIND[decisive.kind]
    if _RANK[state] < _RANK[current.state]:
        return current
    reason = "" if state == "delivered" else decisive.detail
    return MessageStatus(state, reason, decisive.occurred_at)


def _order(report: DeliveryReport) -> tuple[int, datetime, str]:
    """Return the key to sort by: the highest rank first, then the earliest, then by id."""
    return -_RANK[STATE_BY_KIND[report.kind]], report.occurred_at, report.event_id
