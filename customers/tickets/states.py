"""Decides whether a scanned ticket opens the gate, and why not. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from customers.tickets import codes
from customers.types import VERIFIED

# The origins of a code: Butler's first one, one that replaces an earlier one, one that a source sent,
# and an order number.
FIRST, REISSUED, SOURCE, NUMBER = "first", "reissued", "source", "number"
# The reasons why a code ended: another code replaced it, another customer has the order, the customer
# was erased.
REPLACED, MOVED, ERASED = "replaced", "moved", "erased"
# The outcomes of a scan. A double admission comes from a till that was offline.
ADMITTED, REENTERED, DOUBLE, REFUSED = "admitted", "reentered", "double", "refused"
ADMISSIONS = (ADMITTED, REENTERED, DOUBLE)


class EarlierScan(NamedTuple):
    """An earlier scan of a ticket of the same order."""

    key: UUID
    guest: str
    state: str
    outcome: str
    scanned_at: datetime
    place: str


class ScannedTicket(NamedTuple):
    """A code that Butler knows, with its order and the earlier scans of the order's tickets."""

    digest: bytes
    order_key: str
    guest: str
    origin: str
    ended_at: datetime | None
    end_reason: str
    # The visit date for which the code was shown first.
    issued_for: date | None
    customer_id: UUID | None
    version: int
    # True if another customer has the order now.
    is_moved: bool
    is_erased: bool
    number: str | None
    status: str
    evidence: int
    visit_date: date | None
    visit_time: time | None
    lines: Sequence[dict[str, Any]]
    # The number of guests of the party; 0 if the order does not name them.
    guest_count: int
    name: str | None
    scans: Sequence[EarlierScan]


class GatePolicy(NamedTuple):
    """The company's rules, and the source of the gate."""

    source_id: int
    zone: ZoneInfo
    # Whether order numbers open the gate.
    accepts_numbers: bool = False
    # Whether a ticket opens the gate again on the day of its admission.
    allows_reentry: bool = False


class Scan(NamedTuple):
    """One scan of a code. An offline scan is uploaded after it happened."""

    key: UUID
    code: str
    place: str
    staff: str
    device: str
    at: datetime
    is_offline: bool = False


class Decision(NamedTuple):
    """The state of a scanned ticket, and the outcome of the scan."""

    state: str
    outcome: str = REFUSED
    ticket: ScannedTicket | None = None
    # The admission that makes the ticket used.
    admission: EarlierScan | None = None
    # The day that the ticket is for.
    day: date | None = None
    # The tickets of the order that are still valid, and all of them.
    valid_tickets: int = 0
    all_tickets: int = 0
    # True if Butler has answered the same scan before.
    is_repeated: bool = False

    @property
    def is_admitted(self) -> bool:
        """Whether the gate opens."""
        return self.outcome in (ADMITTED, REENTERED)


def decide(scan: Scan, tickets: Iterable[ScannedTicket], policy: GatePolicy) -> Decision:
    """Return the decision on one scan."""
    usable = [row for row in tickets if row.origin != NUMBER or policy.accepts_numbers]
    ticket = _of_one_order(usable, policy.source_id)
    if not usable:
        return Decision(_state_without_ticket(codes.normalize(scan.code)))
    if ticket is None:
        return Decision("several")
    decision = _decide_known(scan, ticket, policy)._replace(ticket=ticket)
    if ticket.is_erased or decision.state == "unknown":
        return Decision("unknown")
    return decision


def _state_without_ticket(normalized: str) -> str:
    if codes.has_valid_check(normalized):
        return "foreign"
    return "mistyped" if codes.is_mistyped(normalized) else "unknown"


def _of_one_order(tickets: list[ScannedTicket], source_id: int) -> ScannedTicket | None:
    """Return the only ticket, or the only valid one, or the only one of the source of the gate."""
    valid = [row for row in tickets if row.ended_at is None]
    own = [row for row in valid if row.order_key.startswith(f"{source_id}/")]
    for rows in (tickets, valid, own):
        if len(rows) == 1:
            return rows[0]
    return None


def _decide_known(scan: Scan, ticket: ScannedTicket, policy: GatePolicy) -> Decision:
    for earlier in ticket.scans:
        if earlier.key == scan.key:
            return _repeated(earlier, ticket)
    refusal = _refusal_of_code(scan, ticket) or _refusal_of_order(ticket)
    admission = _admission(ticket)
    today = scan.at.astimezone(policy.zone).date()
    if admission and scan.is_offline:
        return Decision("used", DOUBLE, admission=admission)
    if refusal:
        return refusal
    if admission is None:
        return _decide_day(ticket, today) or _good(ticket)
    if policy.allows_reentry and admission.scanned_at.astimezone(policy.zone).date() == today:
        return _good(ticket)._replace(outcome=REENTERED, admission=admission)
    return Decision("used", admission=admission)


def _repeated(earlier: EarlierScan, ticket: ScannedTicket) -> Decision:
    """Return the decision on a scan that Butler has answered before."""
    # A scan that opened the gate is not its own earlier admission.
    admission = _admission(ticket) if earlier.outcome != ADMITTED else None
    valid, total = _counts(ticket.lines)
    return Decision(
        earlier.state,
        earlier.outcome,
        admission=admission,
        day=ticket.visit_date,
        valid_tickets=valid,
        all_tickets=total,
        is_repeated=True,
    )


def _refusal_of_code(scan: Scan, ticket: ScannedTicket) -> Decision | None:
    # A code that ended after an offline scan was valid at its time.
    if ticket.ended_at and (not scan.is_offline or ticket.ended_at <= scan.at):
        return Decision(_STATE_OF_END.get(ticket.end_reason, "replaced"))
    if ticket.is_moved:
        return Decision("moved")
    return None


_STATE_OF_END = {MOVED: "moved", ERASED: "unknown", REPLACED: "replaced"}


def _refusal_of_order(ticket: ScannedTicket) -> Decision | None:
    if ticket.number is None:
        return Decision("unknown")
    if ticket.status in ("cancelled", "refunded", "declined"):
        return Decision("cancelled")
    if ticket.status == "requested" or ticket.evidence != VERIFIED:
        return Decision("requested")
    valid, total = _counts(ticket.lines)
    is_removed_guest = ticket.guest.isdecimal() and int(ticket.guest) > max(
        ticket.guest_count or valid, 1
    )
    if (total and not valid) or (is_removed_guest and ticket.origin in (FIRST, REISSUED)):
        return Decision("cancelled")
    return None


def _decide_day(ticket: ScannedTicket, today: date) -> Decision | None:
    day = ticket.visit_date
    if day is None or day == today:
        return None
    if day < today:
        return Decision("expired", day=day)
    is_moved = ticket.issued_for is not None and ticket.issued_for != day
    return Decision("moved" if is_moved else "wrong_day", day=day)


def _good(ticket: ScannedTicket) -> Decision:
    valid, total = _counts(ticket.lines)
    is_partial = valid != total or ticket.status == "partly_refunded"
    state = "partly_refunded" if is_partial else "good"
    return Decision(state, ADMITTED, day=ticket.visit_date, valid_tickets=valid, all_tickets=total)


def _admission(ticket: ScannedTicket) -> EarlierScan | None:
    """Return the first admission by a code of this guest, or by one for the whole order."""
    admissions = (
        scan
        for scan in ticket.scans
        if scan.outcome in ADMISSIONS
        and (not ticket.guest or not scan.guest or scan.guest == ticket.guest)
    )
    return min(admissions, key=lambda scan: scan.scanned_at, default=None)


def _counts(lines: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return the quantity that is still ordered, and with it the refunded quantity."""
    ordered = refunded = 0
    for line in lines:
        quantity, refunded_part = (
            _whole(line.get("quantity")),
            _whole(line.get("refunded_quantity")),
        )
        if line.get("status") == "ordered":
            ordered += quantity
            refunded += refunded_part
        elif line.get("status") == "refunded":
            refunded += max(quantity, refunded_part)
    return ordered, ordered + refunded


def _whole(quantity: object) -> int:
    return max(quantity, 0) if isinstance(quantity, int) else 0
