"""Gathers what decisions are made of: one statement for any number of customers."""

import logging
import threading
import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import blake2b
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings

from butler import sql
from butler.decisions.relations import REACH, OrderFact, RequestFact, relations
from butler.types import Address, Budget, Facts, Rules
from customers.consent.preferences import QuietHours
from customers.consent.state import State
from customers.isolation import FAULTS, describe
from customers.models import Purpose, Topic

CHANNELS = frozenset({"inbox", "email", "sms", "phone"})
# Which kind of address a channel needs; the inbox needs none.
ADDRESS_KINDS = {"email": "email", "sms": "phone", "phone": "phone"}

# From which age a consent counts, GDPR Art. 8 as the countries chose (Two Birds' tracker, read
# in 2026); 16 where nothing else is said.
CONSENT_AGES = {
    **dict.fromkeys(("BE", "SE", "FI"), 13),
    **dict.fromkeys(("ES", "IT", "AT"), 14),
    **dict.fromkeys(("FR", "CZ", "DK"), 15),
}
OLDEST_CONSENT_AGE = 16

_log = logging.getLogger(__name__)

_DAY = timedelta(days=1)
# Rules change rarely, and never loosen what a customer said: a second old is new enough.
FRESH = 1.0


class _Row(msgspec.Struct, frozen=True):
    version: int
    control: State | None
    addresses: list[tuple[str, str, list[tuple[str, str, int]] | None]] | None
    orders: list[OrderFact] | None
    requests: list[RequestFact] | None
    traits: dict[str, object] | None
    used: dict[str, int] | None
    halted: list[str] | None


_decode = msgspec.json.Decoder(_Row).decode


def read_facts(customer_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Facts]:
    """Return the facts of each customer, under the id that was asked for.

    An id that leads to no record is left out, and so is a record whose ledger cannot be read
    as it should: nobody speaks to whom we do not know.
    """
    params = {"ids": list(set(customer_ids)), "windows": windows(now), "since": now - REACH}
    found = {}
    for asked, live, text in sql.rows("gather_facts", params):
        try:
            found[asked] = _facts(live, _decode(text), now)
        except FAULTS as error:
            _log.error("nobody can be judged by the facts of %s: %s", live, describe(error))
    return found


def _facts(live: UUID, row: _Row, now: datetime) -> Facts:
    traits = row.traits or {}
    return Facts(
        customer=str(live),
        version=row.version,
        standing="live",
        control=row.control,
        addresses=_addresses(row),
        relations=relations(row.orders or (), row.requests or (), company_zone()),
        is_of_age=is_of_age(traits.get("birth_date"), traits.get("country"), now.date()),
        used=row.used or {},
        halted=frozenset(row.halted or ()),
        zone=_text(traits.get("timezone")),
        language=_text(traits.get("language") or traits.get("locale"))[:2].lower(),
    )


def _addresses(row: _Row) -> dict[str, Address]:
    addresses = {}
    for kind, value, suppressions in row.addresses or ():
        for channel, needed in ADDRESS_KINDS.items():
            if needed == kind:
                reasons = [one for one in suppressions or () if one[0] == channel]
                reason, evidence = (reasons[0][1], str(reasons[0][2])) if reasons else ("", "")
                addresses[channel] = Address(value, reason, evidence)
    return addresses


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def is_of_age(born: object, country: object, today: date) -> bool:
    """Tell whether somebody may consent by themselves; nobody told us of a child: they may."""
    if born is None:
        return True
    try:
        birth_date = date.fromisoformat(str(born)[:10])
    except ValueError:
        return False
    is_yet_to_come = (today.month, today.day) < (birth_date.month, birth_date.day)
    age = today.year - birth_date.year - is_yet_to_come
    where = country if isinstance(country, str) and country else settings.BUTLER_COUNTRY
    return age >= CONSENT_AGES.get(where.upper(), OLDEST_CONSENT_AGE)


def windows(now: datetime) -> list[str]:
    """Return every window that some customer's clock could be in at this instant."""
    found = set()
    for day in (now - _DAY, now, now + _DAY):
        year, week, _ = day.isocalendar()
        found |= {f"{day:%Y-%m-%d}", f"{year}-W{week:02d}", f"{day:%Y-%m}"}
    return sorted(found)


@cache
def company_zone() -> ZoneInfo:
    return ZoneInfo(settings.BUTLER_ZONE)


# What the company decided -------------------------------------------------------------

_held: tuple[float, Rules] | None = None
_lock = threading.Lock()


def rules() -> Rules:
    """Return the company's rules, read anew after a second at most."""
    global _held
    kept = _held
    if kept is None or time.monotonic() - kept[0] > FRESH:
        with _lock:
            kept = _held = (time.monotonic(), read_rules())
    return kept[1]


def read_rules() -> Rules:
    """Read the purposes and topics that there are, and the company's own limits."""
    purposes = dict(Purpose.objects.filter(is_offered=True).values_list("key", "kind"))
    topics = frozenset(Topic.objects.values_list("key", flat=True))
    body = Rules(
        version="",
        budgets={"marketing": Budget(2, "week"), "relationship": Budget(2, "week")},
        quiet={
            "marketing": QuietHours("20:00", "09:00"),
            "relationship": QuietHours("20:00", "09:00"),
            "peer": QuietHours("21:00", "08:00"),
        },
        plausible_zones=tuple(settings.BUTLER_PLAUSIBLE_ZONES),
        purposes=purposes,
        topics=topics,
        channels=CHANNELS,
    )
    return msgspec.structs.replace(body, version=_digest(body))


def _digest(body: Rules) -> str:
    said = msgspec.json.encode(
        msgspec.structs.replace(body, topics=frozenset(), channels=frozenset()), order="sorted"
    )
    said += "\n".join(sorted(body.topics | body.channels)).encode()
    return blake2b(said, digest_size=8).hexdigest()
