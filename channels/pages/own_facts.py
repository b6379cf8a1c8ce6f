"""Reads the facts of the signed-in customer, for the pages about consents and preferences."""

from datetime import datetime

import msgspec
from django.utils import timezone

from butler.decisions.inputs import read_facts, text_or_empty
from butler.queries.inbox import ResolvedCustomer
from butler.types import Facts
from customers.consent.state_reader import read_state
from customers.queries.record import read_record
from customers.types import OpenedRecord


def read_own_facts(customer: ResolvedCustomer, now: datetime) -> Facts | None:
    """Return the facts of a record, or of the part that a session opens; None if they are unreadable.

    The consents, the time zone and the language of a part are those of its own events.
    """
    facts = read_facts([customer.id], now=now).get(customer.id)
    if facts is None or facts.consent_state is None or customer.part is None:
        return facts
    return _of_part(facts, customer, customer.part, now)


def _of_part(facts: Facts, customer: ResolvedCustomer, part: OpenedRecord, now: datetime) -> Facts:
    shape = read_record(customer.id, today=timezone.localdate(now), part=part)
    traits = shape.traits if shape else {}
    texts = {name: text_or_empty(_value(trait.value)) for name, trait in traits.items()}
    language = texts.get("language") or texts.get("locale") or ""
    return msgspec.structs.replace(
        facts,
        consent_state=read_state(customer.id, part=part),
        zone=texts.get("timezone", ""),
        language=language[:2].lower(),
    )


def _value(value: object) -> object:
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value
