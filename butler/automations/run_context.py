"""Reads the values that conditions and texts use: the current record, and the cause of a run.

butler.automations.context_schema lists the values. All of them are plain JSON.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
from django.conf import settings

from butler import sql
from butler.decisions.inputs import company_zone, text_or_empty
from butler.due import civil_time
from customers.sql import json

type Values = dict[str, Any]


class RunReference(Protocol):
    """The fields of a run that are needed to read its context.

    `customer_id` may name a record that was merged later. `cause` has the keys of Run.cause.
    """

    @property
    def id(self) -> UUID: ...
    @property
    def customer_id(self) -> UUID: ...
    @property
    def cause(self) -> Mapping[str, Any]: ...


class _ContextRow(msgspec.Struct, frozen=True):
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


class RunContext(NamedTuple):
    """The customer of a run at one version, and the values for its conditions and texts."""

    # The live record, into which the record of the run may have been merged.
    customer_id: UUID
    customer_version: int
    values: Values


_decode = msgspec.json.Decoder(_ContextRow).decode
_LINE_FIELDS = ("name", "quantity", "total", "status")
_ORDER_FIELDS = ("number", "name", "status", "visit_date", "visit_time", "total", "currency")


def read_run_contexts(runs: Sequence[RunReference], *, now: datetime) -> dict[UUID, RunContext]:
    """Return the contexts of many runs by the run's id, read in one statement.

    A run whose record does not exist is left out.
    """
    by_id = {run.id: run for run in runs}
    params = {
        "runs": json([_query_row(run) for run in runs]),
        "today": civil_time.local_day(now, company_zone()),
    }
    return {
        run_id: RunContext(live_id, version, _values(_decode(text), by_id[run_id].cause, now))
        for run_id, live_id, version, text in sql.rows("read_contexts", params)
    }


def _query_row(run: RunReference) -> dict[str, object]:
    cause = run.cause
    return {
        "run_id": run.id,
        "customer_id": run.customer_id,
        "about": cause.get("about", ""),
        "log": cause.get("log"),
        "version": cause.get("version"),
        "topic": cause.get("topic", ""),
        "gathered": cause.get("gathered"),
    }


def _values(row: _ContextRow, cause: Mapping[str, Any], now: datetime) -> Values:
    """Return the values under the paths that texts use; an absent value has no key."""
    order = _order(row.order) if row.order else None
    values: Values = {
        "customer": _customer(row),
        "company": {"name": settings.BUTLER_COMPANY},
        "now": now.isoformat(),
    }
    parts = {
        "order": order,
        "member": _member(row.member, cause) if row.member else None,
        "request": row.request,
        "event": _event(row.event) if row.event else None,
        "gathered": _gathered(row.gathered, cause) if row.gathered else None,
        "topic": _topic(row.topic) if row.topic else None,
        "visit": {"date": order["visit_date"]} if order and order.get("visit_date") else None,
    }
    return values | {name: part for name, part in parts.items() if part}


def _customer(row: _ContextRow) -> Values:
    traits = row.traits or {}
    name = text_or_empty(traits.get("name"))
    language = text_or_empty(traits.get("language")) or text_or_empty(traits.get("locale"))
    fields = {
        "first_name": text_or_empty(traits.get("first_name")) or name.partition(" ")[0],
        "name": name,
        "language": language[:2].lower(),
        "zone": row.zone or text_or_empty(traits.get("timezone")),
        "birth_date": text_or_empty(traits.get("birth_date")),
        "card": row.card or "",
    }
    return {**{key: value for key, value in fields.items() if value}, "traits": traits}


def _order(order: Values) -> Values:
    lines = [_select(line, _LINE_FIELDS) for line in _objects(order["lines"])]
    party = [_select(guest, ("name",)) for guest in _objects(order["party"])]
    return _select(order, _ORDER_FIELDS) | {"lines": lines, "party": party}


def _member(member: Values, cause: Mapping[str, Any]) -> Values:
    birth_date, on = _day(member.get("birth_date")), _day(cause.get("on"))
    age = {"age_turning": on.year - birth_date.year} if birth_date and on else {}
    return _select(member, ("reference", "name", "role", "birth_date")) | age


def _event(event: Values) -> Values:
    properties = event["properties"]
    return event | {"properties": properties if isinstance(properties, dict) else {}}


def _gathered(events: Sequence[Values], cause: Mapping[str, Any]) -> Values:
    """Return the number of gathered events, and the first of them."""
    return {"count": cause["count"], "events": [_event(event) for event in events]}


def _topic(topic: Values) -> Values:
    """Return the current topic; its name comes from its facts or from its key."""
    facts = topic["facts"] if isinstance(topic["facts"], dict) else {}
    name = text_or_empty(facts.get("name")) or topic["key"].partition(":")[2].replace("-", " ")
    return {**_select(topic, ("key", "status", "serial")), "name": name, "facts": facts}


def _select(source: Mapping[str, Any], names: Iterable[str]) -> Values:
    return {name: source[name] for name in names if source.get(name) is not None}


def _objects(value: object) -> list[Values]:
    return (
        [element for element in value if isinstance(element, dict)]
        if isinstance(value, list)
        else []
    )


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None
