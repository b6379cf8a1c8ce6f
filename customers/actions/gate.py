"""Admits tickets at the gate: each ticket once, for all gates and tills."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from customers import sql
from customers.actions.attempt_limits import (
    AttemptLimit,
    attempt_subject,
    attempt_window,
    count_attempt,
    too_many_attempts,
)
from customers.events.actors import actor_by_source
from customers.identity.normalize import normalize
from customers.models import Customer, Event, GateScan, TicketCode
from customers.projections import orders
from customers.tickets import codes
from customers.tickets.states import (
    MOVED,
    NUMBER,
    REFUSED,
    REISSUED,
    Decision,
    EarlierScan,
    GatePolicy,
    Scan,
    ScannedTicket,
    decide,
)
from customers.types import Sender

# The states of codes that Butler does not know, which somebody may have guessed.
_GUESSED = frozenset({"foreign", "mistyped", "unknown"})
# The state of a scan whose device sent its number before, with another code.
OTHER_CONTENT = "other_content"
# Order numbers are older than all codes.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class GateSender(NamedTuple):
    """The source of a gate, the policy, and whether its key may read records."""

    sender: Sender
    policy: GatePolicy
    can_read: bool


def gate_sender(sender: Sender) -> GateSender:
    """Return the sender with the policy of the company."""
    policy = GatePolicy(
        source_id=sender.source_id,
        zone=ZoneInfo(settings.BUTLER_ZONE),
        accepts_numbers=settings.BUTLER_ORDER_NUMBERS_OPEN_GATE,
        allows_reentry=settings.BUTLER_REENTRY,
    )
    return GateSender(sender, policy, "read" in sender.scopes)


def scan_tickets(scans: Sequence[Scan], gate: GateSender, now: datetime) -> list[Decision]:
    """Decide on scans in the order of their times, and store them; return a decision for each.

    Call it in a transaction, before events are stored: it locks the orders until the commit.
    Raises TooManyAttempts if the source has scanned too many unknown codes.
    """
    assert transaction.get_connection().in_atomic_block
    if not scans:
        return []
    _lock(scans, gate, now)
    tickets = _read_tickets(scans, gate.policy)
    decisions: dict[int, Decision] = {}
    for place in sorted(range(len(scans)), key=lambda place: scans[place].at):
        scan = scans[place]
        decision = decide(scan, tickets.get(scan.code, ()), gate.policy)
        decisions[place] = decision
        _remember(scan, decision, tickets.values())
    decided = [decisions[place] for place in range(len(scans))]
    stored = _store(scans, decided, gate, now)
    _count_guesses(scans, decided, gate, now)
    return [
        decision if decision.is_repeated or scan.key in stored else _stored_decision(scan)
        for scan, decision in zip(scans, decided, strict=True)
    ]


def _lock(scans: Sequence[Scan], gate: GateSender, now: datetime) -> None:
    limit, subject = _guess_limit(gate)
    params = {
        "digests": [digest for scan in scans for digest in _digests(scan, gate.policy)],
        "subject": attempt_subject(limit, subject),
        "window": attempt_window(now),
    }
    [(tries, _)] = sql.rows("lock_ticket_orders", params)
    if tries >= limit.tries and not all(scan.is_offline for scan in scans):
        raise too_many_attempts(limit, now)


def _guess_limit(gate: GateSender) -> tuple[AttemptLimit, str]:
    limit = AttemptLimit("ticket codes", settings.BUTLER_UNKNOWN_CODES_PER_SOURCE)
    return limit, str(gate.sender.source_id)


def _count_guesses(
    scans: Sequence[Scan], decisions: Sequence[Decision], gate: GateSender, now: datetime
) -> None:
    limit, subject = _guess_limit(gate)
    for scan, decision in zip(scans, decisions, strict=True):
        if decision.state in _GUESSED and not scan.is_offline:
            count_attempt(limit, subject, now)


def _digests(scan: Scan, policy: GatePolicy) -> list[bytes]:
    key = settings.TICKET_KEY
    digests = [codes.digest(key, codes.normalize(scan.code))]
    if policy.accepts_numbers and (number := normalize("order", scan.code)):
        digests.append(codes.number_digest(key, number))
    return digests


def _read_tickets(scans: Sequence[Scan], policy: GatePolicy) -> dict[str, list[ScannedTicket]]:
    """Return the tickets with each scanned code."""
    digests = {scan.code: _digests(scan, policy) for scan in scans}
    rows = _rows(digests.values(), scans)
    if policy.accepts_numbers and (
        numbers := [code for code, own in digests.items() if not _with(rows, own)]
    ):
        for number in numbers:
            _issue_number(number)
        rows = _rows(digests.values(), scans)
    return {code: _with(rows, own) for code, own in digests.items()}


def _with(rows: Iterable[ScannedTicket], digests: Sequence[bytes]) -> list[ScannedTicket]:
    return [row for row in rows if row.digest in digests]


def _rows(digests: Iterable[Sequence[bytes]], scans: Sequence[Scan]) -> list[ScannedTicket]:
    params = {
        "digests": [digest for own in digests for digest in own],
        "keys": [scan.key for scan in scans],
    }
    return [_ticket(row) for row in sql.rows("read_scanned_tickets", params)]


def _ticket(row: Sequence[Any]) -> ScannedTicket:
    ticket = ScannedTicket(*row)
    scans = msgspec.json.decode(row[-1], type=list[EarlierScan])
    return ticket._replace(lines=msgspec.json.decode(row[-4]), scans=scans)


def _issue_number(code: str) -> None:
    """Accept the number of a verified order as the code of the order."""
    number = normalize("order", code)
    if number is None:
        return
    params = {"number": number, "customer_id": None}
    TicketCode.objects.bulk_create(
        [
            TicketCode(
                order_key=order_key,
                number=number,
                customer_id=customer_id,
                digest=codes.number_digest(settings.TICKET_KEY, number),
                origin=NUMBER,
                issued_at=_EPOCH,
            )
            for order_key, customer_id in sql.rows("find_order_keys", params)
            if not _has_later_code(order_key) and not _has_moved(number, customer_id)
        ],
        ignore_conflicts=True,
    )


def _has_later_code(order_key: str) -> bool:
    """Tell whether the codes of the order were replaced, or one ended because the order moved."""
    rows = TicketCode.objects.filter(order_key=order_key)
    return rows.filter(Q(origin=REISSUED) | Q(end_reason=MOVED)).exists()


def _has_moved(number: str, customer_id: UUID) -> bool:
    """Tell whether an order moved here from another customer, who still knows its number."""
    logs = Customer.objects.filter(Q(pk=customer_id) | Q(canonical=customer_id))
    return Event.objects.filter(
        about=f"{orders.PREFIX}{number}", name=orders.MOVED, customer__in=logs.values("pk")
    ).exists()


def _remember(scan: Scan, decision: Decision, tickets: Iterable[Sequence[ScannedTicket]]) -> None:
    """Let the decisions on later scans of this batch know this one."""
    if decision.ticket is None or decision.is_repeated:
        return
    order_key, guest = decision.ticket.order_key, decision.ticket.guest
    earlier = EarlierScan(scan.key, guest, decision.state, decision.outcome, scan.at, scan.place)
    for row in {id(row): row for rows in tickets for row in rows}.values():
        if row.order_key == order_key:
            assert isinstance(row.scans, list)
            row.scans.append(earlier)


def _store(
    scans: Sequence[Scan], decisions: Sequence[Decision], gate: GateSender, now: datetime
) -> set[UUID]:
    """Store the new scans; return their keys."""
    new = [
        (scan, decision)
        for scan, decision in zip(scans, decisions, strict=True)
        if not decision.is_repeated
    ]
    if not new:
        return set()
    looks = [
        {
            "customer_id": decision.ticket.customer_id,
            "actor": actor_by_source(gate.sender.name, scan.staff)[:100],
        }
        for scan, decision in new
        if decision.is_admitted and decision.ticket and gate.can_read and not scan.is_offline
    ]
    params = {
        "scans": sql.json([_scan_row(scan, decision) for scan, decision in new]),
        "looks": sql.json(looks),
        "at": now,
        "source_id": gate.sender.source_id,
    }
    return {key for (key,) in sql.rows("insert_gate_scans", params)}


def _scan_row(scan: Scan, decision: Decision) -> dict[str, object]:
    ticket = decision.ticket
    return {
        "key": scan.key,
        "code_digest": codes.digest(settings.TICKET_KEY, codes.normalize(scan.code)).hex(),
        "order_key": ticket.order_key if ticket else "",
        "guest": ticket.guest if ticket else "",
        "state": decision.state,
        "outcome": decision.outcome,
        "device": scan.device,
        "place": scan.place,
        "staff": scan.staff,
        "scanned_at": scan.at,
    }


def _stored_decision(scan: Scan) -> Decision:
    """Return the answer to a scan of an unknown code that Butler has answered before."""
    digest = codes.digest(settings.TICKET_KEY, codes.normalize(scan.code))
    earlier = GateScan.objects.filter(key=scan.key, code_digest=digest).first()
    if earlier is None or earlier.order_key:
        return Decision(OTHER_CONTENT, is_repeated=True)
    return Decision(earlier.state, REFUSED, is_repeated=True)
