"""Sample customers to render texts for: one with all values, one with only certain values. Pure.

A text that can be rendered for both can be rendered for every customer.
"""

from typing import Any

from butler.document import AutomationDocument, OnDate, OnTopic

LINKS = {
    "site": "https://larkmoor.example",
    "why": "https://larkmoor.example/messages/1/why/",
    "preferences": "https://larkmoor.example/preferences/",
    "unsubscribe": "https://larkmoor.example/unsubscribe/sample/",
}

_CUSTOMER = {
    "first_name": "Noor",
    "name": "Noor de Wit",
    "language": "nl",
    "zone": "Europe/Amsterdam",
    "birth_date": "1988-06-11",
    "card": "LK-2048-7713",
    "traits": {},
}
_ORDER = {
    "number": "LK-1042-17",
    "name": "Family day",
    "status": "placed",
    "visit_date": "2027-04-18",
    "visit_time": "10:00",
    "total": "134.00",
    "currency": "EUR",
    "lines": [
        {"name": "Day ticket", "quantity": 2, "total": "90.00", "status": "placed"},
        {"name": "Child ticket", "quantity": 1, "total": "44.00", "status": "placed"},
    ],
    "party": [{"name": "Noor"}, {"name": "Sem"}, {"name": "Mila"}],
}
_MEMBER = {
    "reference": "sem",
    "name": "Sem de Wit",
    "role": "child",
    "birth_date": "2018-04-18",
    "age_turning": 9,
}
_REQUEST = {
    "reference": "R-7",
    "subject": "The date of our visit",
    "wanted_at": "2027-04-16T12:00:00+00:00",
    "status": "open",
}
_TOPIC = {"key": "ride:night-mail", "name": "Night Mail", "status": "down", "facts": {}}
_EVENT = {
    "name": "Order Completed",
    "about": "order:LK-1042-17",
    "occurred_at": "2027-04-16T06:59:00+00:00",
    "properties": {},
}
_COMPANY = {"name": "Larkmoor"}
_NOW = "2027-04-16T07:00:00+00:00"


def full(document: AutomationDocument) -> dict[str, Any]:
    """Return every value that a run of this automation can have."""
    trigger = document.trigger
    parts: dict[str, Any] = {
        "customer": _CUSTOMER,
        "order": _ORDER,
        "visit": {"date": "2027-04-18"},
        "request": _REQUEST,
        "company": _COMPANY,
        "now": _NOW,
    }
    return parts | _cause(document) | _member(trigger.date if isinstance(trigger, OnDate) else "")


def sparse(document: AutomationDocument) -> dict[str, Any]:
    """Return only the values that every run of this automation has."""
    certain: dict[str, Any] = {"customer": {"traits": {}}, "company": _COMPANY, "now": _NOW}
    date = document.trigger.date if isinstance(document.trigger, OnDate) else ""
    order = {"number": "LK-1", "status": "placed", "total": "0.00", "lines": [], "party": []}
    if date == "order.visit_date" or document.relation == "visit":
        certain["order"] = {**order, "visit_date": "2027-04-18"}
        certain["visit"] = {"date": "2027-04-18"}
    elif document.relation == "order":
        certain["order"] = order
    elif document.relation == "request":
        certain["request"] = {"reference": "R-7", "status": "open"}
    return certain | _cause(document) | _member(date, ("reference", "name", "role"))


def _cause(document: AutomationDocument) -> dict[str, Any]:
    trigger = document.trigger
    if isinstance(trigger, OnTopic):
        key = trigger.topic.replace("*", "night-mail")
        return {"topic": {**_TOPIC, "key": key, "status": trigger.status}}
    event = {**_EVENT, "name": getattr(trigger, "event", "")}
    if getattr(trigger, "gather", ""):
        return {"event": event, "gathered": {"count": 2, "events": [event, event]}}
    return {"event": event} if event["name"] else {}


def _member(date: str, certain: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the party member whose date starts the run; empty for other triggers."""
    root, _, name = date.partition(".")
    if root != "member":
        return {}
    birthday = {"birth_date", "age_turning"} if name == "birth_date" else set()
    fields = {*certain, *birthday} if certain else set(_MEMBER)
    return {"member": {key: value for key, value in _MEMBER.items() if key in fields}}
