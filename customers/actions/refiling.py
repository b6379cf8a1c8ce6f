"""Files events on another identifier by a decision of staff, and takes this back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from customers.identity import refiling
from customers.identity.normalize import is_kind, normalize
from customers.identity.refiling import EventPlace, RefiledPlace
from customers.models import BlockedValue, Identifier

MAX_REASON_LENGTH = 200


class UnknownIdentifier(LookupError):
    """Butler does not know this identifier, or it identifies nobody."""


def refile_events(
    *,
    events: Sequence[tuple[UUID, int]],
    identifier: tuple[str, str] | int,
    reason: str,
    actor: str,
    now: datetime,
) -> list[RefiledPlace]:
    """File events on an identifier; return those that moved.

    events: the log and the version of each event
    identifier: its kind and value, or its id

    Raises UnknownIdentifier, refiling.UnknownEvents or refiling.FixedEvents.
    """
    identifier_id = identifier if isinstance(identifier, int) else _find_identifier(*identifier)
    places = {EventPlace(*event): identifier_id for event in events}
    try:
        return refiling.refile(places, reason=_short(reason), actor=actor[:100], now=now)
    except refiling.UnknownIdentifiers as error:
        raise UnknownIdentifier from error


def undo_refiling(
    *, events: Sequence[tuple[UUID, int]], actor: str, now: datetime
) -> list[RefiledPlace]:
    """File events on the identifiers that they were written with; return those that moved.

    Raises refiling.UnknownEvents or refiling.FixedEvents.
    """
    places = {EventPlace(*event): None for event in events}
    return refiling.refile(places, reason="", actor=actor[:100], now=now)


def _short(reason: str) -> str:
    return reason.strip()[:MAX_REASON_LENGTH]


def _find_identifier(kind: str, text: str) -> int:
    """Return the id of the identifier with the strongest evidence. Raises UnknownIdentifier."""
    value = normalize(kind, text) if is_kind(kind) else None
    if value is None or BlockedValue.objects.filter(kind=kind, value=value).exists():
        raise UnknownIdentifier
    identifiers = Identifier.objects.filter(kind=kind, value=value).order_by("-evidence")
    identifier_id = identifiers.values_list("id", flat=True).first()
    if identifier_id is None:
        raise UnknownIdentifier
    return identifier_id
