"""Automations for tests, live since long ago, with messages about visits in two languages."""

import hashlib
from datetime import timedelta

import msgspec

from butler.document import AutomationDocument
from butler.models import Automation, AutomationVersion, Decision, Due, Run
from customers.models import Topic
from tests.factories import NOON, identify, order, record

NOOR = ("email", "noor@example.com")
HOUR = timedelta(hours=1)
# After the time of receipt that the factories give to events.
SOON = NOON + timedelta(seconds=2)
CART = {"kind": "absence", "event": "Checkout Started", "absent": "Order Completed", "within": "1h"}

TEXTS = {
    "en": {"subject": "Hello {{ customer.first_name }}", "text": "See you soon."},
    "nl": {"subject": "Dag {{ customer.first_name }}", "text": "Tot gauw."},
}
SAY = {"kind": "message", "channels": ["inbox"], "texts": TEXTS}


def document(key: str = "receipt", **fields) -> AutomationDocument:
    document_fields = {
        "key": key,
        "name": {"en": key, "nl": key},
        "trigger": {"kind": "event", "event": "Order Completed"},
        "steps": [SAY],
        "class": "service",
        "topic": "orders",
        "expires": "1d",
        "relation": "order",
    } | fields
    return msgspec.convert(document_fields, AutomationDocument)


def automation(key: str = "receipt", *, status: str = "live", live_at=None, **fields):
    """Load an automation whose document is `fields`."""
    automation_document = document(key, **fields)
    Topic.objects.get_or_create(key=automation_document.topic, defaults={"texts": {}})
    Automation.objects.get_or_create(key=key)
    trigger = automation_document.trigger
    awaited = [getattr(trigger, "absent", "")]
    awaited += [step.event for step in _all(automation_document.steps) if hasattr(step, "event")]
    body = msgspec.json.encode(automation_document)
    return AutomationVersion.objects.create(
        automation_id=key,
        number=AutomationVersion.objects.filter(automation_id=key).count() + 1,
        status=status,
        document=msgspec.json.decode(body),
        digest=hashlib.sha256(body).hexdigest(),
        trigger=type(trigger).__struct_config__.tag,
        event_names=[trigger.event] if hasattr(trigger, "event") else [],
        awaited_names=[name for name in awaited if name],
        live_at=live_at or NOON - timedelta(days=365),
    )


def _all(steps):
    for step in steps:
        yield step
        for branch in ("then", "otherwise"):
            yield from _all(getattr(step, branch, ()))


def due_of(run) -> Due | None:
    return Due.objects.filter(job="run", key=str(run.id)).first()


def place_order(number="A-1", at=NOON, **properties):
    """Noor places an order for a visit tomorrow."""
    properties = {"visit_date": "2026-11-22", "total": "80.00", "currency": "EUR"} | properties
    return record(
        identify(NOOR, name="Noor", language="nl", at=at), order(number, NOOR, **properties)
    )


def start_run(steps, **fields):
    """Have an automation with these steps, and one run of it."""
    version = automation(steps=steps, **fields)
    place_order()
    return version


def run():
    return Run.objects.get()


def say(**fields):
    return SAY | fields


def codes():
    return list(Decision.objects.order_by("decided_at", "id").values_list("outcome", "code"))
