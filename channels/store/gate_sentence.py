"""The sentence that a till or gate shows to its operator. Reads no database."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from customers.identity.lookup import Match
from customers.queries.visits import Visit
from customers.tickets.states import Decision, ScannedTicket


class GateSentence(NamedTuple):
    """A customer, the visit, and one sentence about both (`line`)."""

    id: UUID
    version: int
    name: str | None
    is_verified: bool
    line: str
    order: Visit | None


def gate_sentence(match: Match, visit: Visit | None, *, today: date) -> GateSentence:
    """Return the sentence and the facts that a till shows about a customer and the visit."""
    display_name = match.name or "A guest without a name"
    line = f"{display_name}: {_describe_visit(visit, today)}"
    return GateSentence(match.id, match.version, match.name, match.is_verified, line, visit)


def _describe_visit(visit: Visit | None, today: date) -> str:
    if visit is None:
        return "no visit ahead"
    if visit.status in ("cancelled", "refunded"):
        return f"order {visit.number} was {visit.status}"
    at = f" at {visit.visit_time:%H:%M}" if visit.visit_time else ""
    if visit.visit_date is None:
        return f"order {visit.number}, no date"
    if visit.visit_date == today:
        return f"today{at}, order {visit.number}"
    when = "comes on" if visit.visit_date > today else "was due on"
    return f"{when} {visit.visit_date:%d %B %Y}{at}, order {visit.number}"


def ticket_answer(
    decision: Decision, *, today: date, zone: ZoneInfo, company: str, can_read: bool
) -> dict[str, object]:
    """Return the answer to the scan of a code. Only a ticket that opens the gate has a customer."""
    line = ticket_sentence(decision, today=today, zone=zone, company=company, can_read=can_read)
    ticket = decision.ticket if decision.is_admitted and can_read else None
    order = None
    if ticket and ticket.number:
        order = Visit(ticket.number, ticket.status, ticket.visit_date, ticket.visit_time)
    return {
        "state": decision.state,
        "admitted": decision.is_admitted,
        "line": line,
        "id": ticket.customer_id if ticket else None,
        "version": ticket.version if ticket else None,
        "name": ticket.name if ticket else None,
        "order": order._asdict() if order else None,
    }


def ticket_sentence(
    decision: Decision, *, today: date, zone: ZoneInfo, company: str, can_read: bool
) -> str:
    """Return the state of a scanned ticket in one line.

    can_read: name the customer and the order of a ticket that opens the gate
    """
    if decision.is_admitted:
        return _describe_admission(decision, today, zone, can_read=can_read)
    if decision.state == "used" and (admission := decision.admission):
        when = _moment(admission.scanned_at.astimezone(zone), today)
        return f"Used {when}{f' at {admission.place}' if admission.place else ''}"
    day = _day(decision.day, today)
    moved_to = f"the ticket is now{day}" if day else "another customer has this ticket now"
    return _REFUSALS[decision.state].format(day=day, moved_to=moved_to, company=company)


# {day}: " for 24 November 2026", or empty if it is not known.
_REFUSALS = {
    "used": "Used",
    "cancelled": "Cancelled: this ticket is not valid",
    "expired": "Expired: the ticket was{day}",
    "wrong_day": "Wrong day: the ticket is{day}",
    "moved": "Moved: {moved_to}",
    "replaced": "Replaced: the ticket has a newer code",
    "requested": "Only requested: the order is not confirmed",
    "foreign": "Not a ticket of {company}",
    "mistyped": "Mistyped: read the code again",
    "unknown": "Unknown code",
    "several": "Several orders have this code: look the order up",
    "other_content": "The device sent this scan before, with another code",
}


def _describe_admission(decision: Decision, today: date, zone: ZoneInfo, *, can_read: bool) -> str:
    state = "Good"
    if decision.state == "partly_refunded":
        valid, total = decision.valid_tickets, decision.all_tickets
        state = "Good, but a part was refunded"
        if valid != total:
            state = f"Good for {valid} of {total}, the rest was refunded"
    if decision.outcome == "reentered" and decision.admission:
        state += f", again after {_moment(decision.admission.scanned_at.astimezone(zone), today)}"
    ticket = decision.ticket
    if not can_read or ticket is None:
        return state
    guest = f", guest {ticket.guest}" if ticket.guest else ""
    return f"{state}: {ticket.name or 'A guest without a name'}, {_visit(ticket, today)}{guest}"


def _visit(ticket: ScannedTicket, today: date) -> str:
    at = f" at {ticket.visit_time:%H:%M}" if ticket.visit_time else ""
    if ticket.visit_date is None:
        return f"order {ticket.number}, no date"
    when = "today" if ticket.visit_date == today else f"on {ticket.visit_date:%d %B %Y}"
    return f"{when}{at}, order {ticket.number}"


def _moment(moment: datetime, today: date) -> str:
    return f"{'today' if moment.date() == today else f'on {moment:%d %B %Y}'} at {moment:%H:%M}"


def _day(day: date | None, today: date) -> str:
    if day is None:
        return ""
    return " for today" if day == today else f" for {day:%d %B %Y}"
