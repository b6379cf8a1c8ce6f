"""Finds the ticket codes in events of other systems, and decides which of them count. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from customers.tickets.states import NUMBER, REISSUED, SOURCE

# Replaces a code in the body of an event, because the log is read by many.
HIDDEN = "(secret)"
MAX_TICKETS = 100
_LISTS = ("tickets", "positions")
_CODES = ("code", "secret", "barcode")
_GUESTS = ("guest", "attendee_name", "name")


def may_have_codes(body: bytes) -> bool:
    """Tell in little time whether the body of an event may have ticket codes."""
    return b'"ticket_code"' in body or b'"tickets"' in body or b'"positions"' in body


def hide_codes(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Replace the ticket codes in the properties of an event; return guests and codes.

    A ticket without a guest gets its place in the list; `ticket_code` is for the whole order.
    """
    properties = document.get("properties")
    if type(properties) is not dict:
        return ()
    codes: list[tuple[str, str]] = []
    if "ticket_code" in properties:
        codes.append(("", _text(properties["ticket_code"])))
        properties["ticket_code"] = HIDDEN
    for name in _LISTS:
        tickets = properties.get(name)
        if type(tickets) is list:
            codes += _hide_in_list(tickets)
    unique = {guest: code for guest, code in codes if code}
    return tuple(unique.items())[:MAX_TICKETS]


def _hide_in_list(tickets: list[Any]) -> list[tuple[str, str]]:
    codes = []
    for place, ticket in enumerate(tickets, start=1):
        if type(ticket) is str:
            codes.append((str(place), ticket))
            tickets[place - 1] = HIDDEN
        elif type(ticket) is dict:
            guest = next((text for name in _GUESTS if (text := _text(ticket.get(name)))), "")
            for name in _CODES:
                if name in ticket:
                    codes.append((guest or str(place), _text(ticket[name])))
                    ticket[name] = HIDDEN
    return codes


def _text(value: object) -> str:
    return str(value) if type(value) in (str, int) else ""


class KnownCode(NamedTuple):
    """A code of an order that Butler has stored."""

    id: int
    guest: str
    digest: bytes
    origin: str
    issued_at: datetime
    is_ended: bool


class Restatement(NamedTuple):
    """The effect of a statement of all codes of an order."""

    # The known codes that end, and those that are stated again and are valid.
    ended: Sequence[KnownCode]
    repeated: Sequence[KnownCode]
    # The guests and digests of new codes.
    added: Sequence[tuple[str, bytes]]
    # True if a later statement counts, so that the new codes have ended.
    is_outdated: bool


def restate(
    stated: Iterable[tuple[str, bytes]], stored_codes: Sequence[KnownCode], at: datetime
) -> Restatement:
    """Return what the statement of a source about the codes of an order changes.

    The codes of a source replace Butler's first ones. A later statement or a code that Butler
    issued again counts more. Codes that are only stated again change nothing.
    """
    by_ticket = {(row.guest, bytes(row.digest)): row for row in stored_codes}
    stated = list(stated)
    added = [ticket for ticket in stated if ticket not in by_ticket]
    repeated = [by_ticket[ticket] for ticket in stated if ticket in by_ticket]
    valid = [row for row in repeated if not row.is_ended]
    is_outdated = any(
        row.origin in (SOURCE, REISSUED) and row.issued_at > at and row not in repeated
        for row in stored_codes
    )
    ended: list[KnownCode] = []
    if added and not is_outdated:
        ended = [row for row in stored_codes if not row.is_ended and row not in valid]
        ended = [row for row in ended if row.origin != NUMBER]
    return Restatement(ended, valid, added, is_outdated)
