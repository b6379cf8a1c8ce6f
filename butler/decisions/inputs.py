"""Reads the facts and the rules of decisions: one statement for any number of customers."""

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
from butler.due.civil_time import age_on
from butler.types import Address, Budget, Facts, Rules
from customers.consent.preferences import QuietHours
from customers.consent.state import State
from customers.fault_isolation import FAULTS, describe_fault
from customers.models import Purpose, Topic
from customers.values.times import read_date

CHANNELS = frozenset({"inbox", "email", "sms", "phone"})
# The kind of address that each channel needs. The inbox needs none.
ADDRESS_KINDS = {"email": "email", "sms": "phone", "phone": "phone"}

# The age from which a consent counts, by country: GDPR Art. 8 (source: Two Birds' tracker, read
# in 2026). It is 16 in all other countries.
CONSENT_AGES = {
    **dict.fromkeys(("BE", "SE", "FI"), 13),
    **dict.fromkeys(("ES", "IT", "AT"), 14),
    **dict.fromkeys(("FR", "CZ", "DK"), 15),
}
OLDEST_CONSENT_AGE = 16

_log = logging.getLogger(__name__)

_DAY = timedelta(days=1)
# Rules change rarely, and they never override a stricter setting of a customer.
CACHE_SECONDS = 1.0


# The kind, the value, what an erased holder refused, the suppressions of an address as (channel,
# reason, id), whether it is confirmed, and when its holder refused it.
type _AddressRow = tuple[
    str, str, frozenset[str], list[tuple[str, str, int]] | None, bool, datetime | None
]


class _Row(msgspec.Struct, frozen=True):
    version: int
    consent_state: State | None
    addresses: list[_AddressRow] | None
    orders: list[OrderFact] | None
    requests: list[RequestFact] | None
    traits: dict[str, object] | None
    used: dict[str, int] | None
    pause_switches: list[str] | None
    # The name of a relation, and an address as in `addresses` that was noted with it.
    noted_addresses: list[tuple[str, _AddressRow]] | None = None


_decode = msgspec.json.Decoder(_Row).decode


def read_facts(customer_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Facts]:
    """Return the facts of each customer by the given id, read in one statement.

    Ids without a record, and records whose facts cannot be read, are left out.
    """
    params = {"ids": list(set(customer_ids)), "windows": current_windows(now), "since": now - REACH}
    facts = {}
    for record_id, live_id, text in sql.rows("read_decision_facts", params):
        try:
            facts[record_id] = _facts(live_id, _decode(text), now)
        except FAULTS as error:
            _log.error(
                "the facts of customer %s cannot be read: %s", live_id, describe_fault(error)
            )
    return facts


def unknown_facts(customer_id: UUID) -> Facts:
    """Return facts whose values are all unknown, so that every decision denies."""
    return Facts(str(customer_id), None, None, None, None, None, None, None, None)


def _facts(live_id: UUID, row: _Row, now: datetime) -> Facts:
    traits = row.traits or {}
    return Facts(
        customer=str(live_id),
        version=row.version,
        record_status="live",
        consent_state=row.consent_state,
        addresses=_addresses(row.addresses or ()),
        relations=relations(row.orders or (), row.requests or (), company_zone()),
        is_of_age=is_of_age(traits.get("birth_date"), traits.get("country"), now.date()),
        used=row.used or {},
        pause_switches=frozenset(row.pause_switches or ()),
        zone=text_or_empty(traits.get("timezone")),
        language=text_or_empty(traits.get("language") or traits.get("locale"))[:2].lower(),
        noted_addresses=_noted_addresses(row.noted_addresses or ()),
    )


def _noted_addresses(
    rows: Iterable[tuple[str, _AddressRow]],
) -> dict[str, dict[str, Address]]:
    """Return the noted addresses by the name of the relation and the channel."""
    by_relation: dict[str, dict[str, Address]] = {}
    for relation, row in rows:
        by_relation.setdefault(relation, {}).update(_addresses([row]))
    return by_relation


def _addresses(rows: Iterable[_AddressRow]) -> dict[str, Address]:
    """Return addresses by channel."""
    addresses = {}
    for kind, value, refused, suppressions, is_confirmed, not_mine_at in rows:
        for channel, needed in ADDRESS_KINDS.items():
            if needed == kind:
                reason, evidence = _suppression(suppressions or (), channel)
                addresses[channel] = Address(
                    value, reason, evidence, refused, is_confirmed, not_mine_at
                )
    return addresses


def _suppression(suppressions: Iterable[tuple[str, str, int]], channel: str) -> tuple[str, str]:
    """Return the reason and the evidence of the channel's first suppression, or ""."""
    for suppressed_channel, reason, id_ in suppressions:
        if suppressed_channel == channel:
            return reason, str(id_)
    return "", ""


def text_or_empty(value: object) -> str:
    """Return a JSON value if it is text, else ""."""
    return value if isinstance(value, str) else ""


def is_of_age(birth_date: object, country: object, today: date) -> bool:
    """Return whether the customer may consent alone; True if no birth date is stored."""
    if birth_date is None:
        return True
    born = read_date(birth_date, company_zone()).value
    if born is None:
        return False
    age = age_on(today, born)
    where = country if isinstance(country, str) and country else settings.BUTLER_COUNTRY
    return age >= CONSENT_AGES.get(where.upper(), OLDEST_CONSENT_AGE)


def current_windows(now: datetime) -> list[str]:
    """Return all budget windows that are current in any time zone, sorted."""
    windows = set()
    for day in (now - _DAY, now, now + _DAY):
        year, week, _ = day.isocalendar()
        windows |= {f"{day:%Y-%m-%d}", f"{year}-W{week:02d}", f"{day:%Y-%m}"}
    return sorted(windows)


@cache
def company_zone() -> ZoneInfo:
    """Return the time zone of the company."""
    return ZoneInfo(settings.BUTLER_ZONE)


# The rules ---------------------------------------------------------------------------

_cached_rules: tuple[float, Rules] | None = None
_lock = threading.Lock()


def rules() -> Rules:
    """Return the rules, at most CACHE_SECONDS old."""
    global _cached_rules
    cached = _cached_rules
    if cached is None or time.monotonic() - cached[0] > CACHE_SECONDS:
        with _lock:
            cached = _cached_rules = (time.monotonic(), read_rules())
    return cached[1]


def read_rules() -> Rules:
    """Return the rules: the policy in the settings, and the existing purposes and topics."""
    purposes = dict(Purpose.objects.filter(is_offered=True).values_list("key", "kind"))
    topics = frozenset(Topic.objects.values_list("key", flat=True))
    rules = Rules(
        version="",
        budgets=msgspec.convert(settings.BUTLER_BUDGETS, dict[str, Budget]),
        quiet_hours={
            key: QuietHours(start, end) for key, (start, end) in settings.BUTLER_QUIET_HOURS.items()
        },
        plausible_zones=tuple(settings.BUTLER_PLAUSIBLE_ZONES),
        purposes=purposes,
        topics=topics,
        channels=CHANNELS,
        language=settings.BUTLER_LANGUAGE,
    )
    return msgspec.structs.replace(rules, version=_digest(rules))


def _digest(rules: Rules) -> str:
    policy = msgspec.structs.replace(rules, topics=frozenset(), channels=frozenset())
    content = msgspec.json.encode(policy, order="sorted")
    content += "\n".join(sorted(rules.topics | rules.channels)).encode()
    return blake2b(content, digest_size=8).hexdigest()
