"""What conditions and texts see: the record as it is now, and what a run is about.

butler.automations.context_schema says which values there are; all of them are plain JSON.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
from django.conf import settings

from butler import sql
from butler.automations.context_schema import SHAPE
from butler.decisions.inputs import company_zone
from butler.due import civil_time
from customers.sql import json

__all__ = ["SHAPE", "Situation", "contexts", "situations"]

type Context = dict[str, Any]


class Cause(Protocol):
    """A run, as far as it matters here."""

    @property
    def id(self) -> UUID: ...
    @property
    def customer_id(self) -> UUID: ...
    @property
    def cause(self) -> Mapping[str, Any]: ...


class _Found(msgspec.Struct, frozen=True):
    """One row of read_contexts.sql."""

    traits: dict[str, Any] | None
    card: str | None
    zone: str | None
    order: dict[str, Any] | None
    member: dict[str, Any] | None
    request: dict[str, Any] | None
    event: dict[str, Any] | None
    gathered: list[dict[str, Any]] | None
    topic: dict[str, Any] | None


class Situation(NamedTuple):
    """Where a run finds its customer."""

    # The live record, which the one that the run began with may have been joined into.
    customer_id: UUID
    version: int
    context: Context


_decode = msgspec.json.Decoder(_Found).decode
_LINE = ("name", "quantity", "total", "status")
_ORDER = ("number", "name", "status", "visit_date", "visit_time", "total", "currency")


def contexts(runs: Iterable[Cause], *, now: datetime) -> dict[UUID, Context]:
    """Return what the texts of each run see, by the run's id."""
    found = situations(list(runs), now=now)
    return {run_id: situation.context for run_id, situation in found.items()}


def situations(runs: Sequence[Cause], *, now: datetime) -> dict[UUID, Situation]:
    """Read the records of many runs in one statement; a run without a record is left out."""
    by_id = {run.id: run for run in runs}
    params = {
        "asked": json([_asked(run) for run in runs]),
        "today": civil_time.local_day(now, company_zone()),
    }
    found = {}
    for run_id, live, version, text in sql.rows("read_contexts", params):
        context = _context(_decode(text), by_id[run_id].cause, now)
        found[run_id] = Situation(live, version, context)
    return found


def _asked(run: Cause) -> dict[str, object]:
    cause = run.cause
    return {
        "i": run.id,
        "c": run.customer_id,
        "about": cause.get("about", ""),
        "log": cause.get("log"),
        "v": cause.get("version"),
        "topic": cause.get("topic", ""),
        "gathered": cause.get("gathered"),
    }


def _context(found: _Found, cause: Mapping[str, Any], now: datetime) -> Context:
    """Put the values where texts look for them; what there is none of has no key."""
    order = _order(found.order) if found.order else None
    context: Context = {
        "customer": _customer(found),
        "company": {"name": settings.BUTLER_COMPANY},
        "now": now.isoformat(),
    }
    parts = {
        "order": order,
        "member": _member(found.member, cause) if found.member else None,
        "request": found.request,
        "event": _event(found.event) if found.event else None,
        "gathered": _gathered(found.gathered, cause) if found.gathered else None,
        "topic": _topic(found.topic) if found.topic else None,
        "visit": {"date": order["visit_date"]} if order and order.get("visit_date") else None,
    }
    return context | {name: part for name, part in parts.items() if part}


def _customer(found: _Found) -> Context:
    traits = found.traits or {}
    name = _text(traits.get("name"))
    language = _text(traits.get("language")) or _text(traits.get("locale"))
    said = {
        "first_name": _text(traits.get("first_name")) or name.partition(" ")[0],
        "name": name,
        "language": language[:2].lower(),
        "zone": found.zone or _text(traits.get("timezone")),
        "birth_date": _text(traits.get("birth_date")),
        "card": found.card or "",
    }
    return {**{key: value for key, value in said.items() if value}, "traits": traits}


def _order(order: Context) -> Context:
    lines = [_named(line, _LINE) for line in _documents(order["lines"])]
    party = [_named(guest, ("name",)) for guest in _documents(order["party"])]
    return _named(order, _ORDER) | {"lines": lines, "party": party}


def _member(member: Context, cause: Mapping[str, Any]) -> Context:
    born, on = _day(member.get("birth_date")), _day(cause.get("on"))
    age = {"age_turning": on.year - born.year} if born and on else {}
    return _named(member, ("reference", "name", "role", "birth_date")) | age


def _event(event: Context) -> Context:
    properties = event["properties"]
    return event | {"properties": properties if isinstance(properties, dict) else {}}


def _gathered(events: Sequence[Context], cause: Mapping[str, Any]) -> Context:
    """Say how many there are in all; of very many, the first are kept."""
    return {"count": cause["count"], "events": [_event(one) for one in events]}


def _topic(topic: Context) -> Context:
    """Say how it is now, in the words that came with it; a name may be among them."""
    facts = topic["facts"] if isinstance(topic["facts"], dict) else {}
    name = _text(facts.get("name")) or topic["key"].partition(":")[2].replace("-", " ")
    return {**_named(topic, ("key", "status", "serial")), "name": name, "facts": facts}


def _named(document: Mapping[str, Any], names: Iterable[str]) -> Context:
    return {name: document[name] for name in names if document.get(name) is not None}


def _documents(value: object) -> list[Context]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None
