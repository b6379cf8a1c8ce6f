"""Files events on another identifier by a decision of staff, and takes this back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q, Value
from django.db.models.functions import StrIndex, Substr

from customers.identity import refiling
from customers.identity.normalize import is_kind, normalize
from customers.identity.refiling import EventPlace, RefiledPlace
from customers.models import BlockedValue, Identifier

MAX_REASON_LENGTH = 200


class UnknownIdentifier(LookupError):
    """Butler does not know this identifier, or it identifies nobody."""


class AmbiguousIdentifier(LookupError):
    """Several sources use this number, each for another customer or order."""


def refile_events(
    *,
    events: Sequence[tuple[UUID, int]],
    identifier: tuple[str, str] | int,
    reason: str,
    actor: str,
    now: datetime,
    region: str | None = None,
) -> list[RefiledPlace]:
    """File events on an identifier; return those that moved.

    events: the log and the version of each event
    identifier: its kind and value, or its id
    region: the country of phone numbers without a country code (ISO 3166 alpha-2)

    Raises UnknownIdentifier, AmbiguousIdentifier, refiling.UnknownEvents or refiling.FixedEvents.
    """
    if isinstance(identifier, int):
        identifier_id = identifier
    else:
        identifier_id = find_identifier(*identifier, region=region).pk
    places = {EventPlace(*event): identifier_id for event in events}
    reason = reason.strip()[:MAX_REASON_LENGTH]
    try:
        return refiling.refile(places, reason=reason, actor=actor[:100], now=now)
    except refiling.UnknownIdentifiers as error:
        raise UnknownIdentifier from error


def undo_refiling(
    *, events: Sequence[tuple[UUID, int]], actor: str, now: datetime
) -> list[RefiledPlace]:
    """Take the last re-filing of each event back; return the events that moved.

    An event is then filed where it was before: on the identifier of the re-filing before, or on the
    one that it was written with.

    Raises refiling.UnknownEvents or refiling.FixedEvents.
    """
    places = {EventPlace(*event): None for event in events}
    return refiling.refile(places, reason="", actor=actor[:100], now=now)


def find_identifier(kind: str, text: str, *, region: str | None = None) -> Identifier:
    """Return the identifier with the strongest evidence, of the latest period.

    A number may be written with its source (`<source id>/<number>`) or without it. Raises
    UnknownIdentifier or AmbiguousIdentifier.
    """
    value = normalize(kind, text, region) if is_kind(kind) else None
    if value is None:
        raise UnknownIdentifier
    number = Substr("value", StrIndex("value", Value("/")) + 1)
    identifiers = list(
        Identifier.objects.annotate(number=number)
        .filter(Q(value=value) | Q(number=value), kind=kind, erasure=None)
        .order_by("-evidence", "-id")
    )
    strongest = [row for row in identifiers if row.evidence == identifiers[0].evidence]
    if len({candidate.value for candidate in strongest}) > 1:
        raise AmbiguousIdentifier
    if not strongest or strongest[0].is_placeholder or _is_blocked(strongest[0], value):
        raise UnknownIdentifier
    return strongest[0]


def _is_blocked(identifier: Identifier, value: str) -> bool:
    values = {identifier.value, identifier.value.partition("/")[2], value}
    return BlockedValue.objects.filter(kind=identifier.kind, value__in=values).exists()
