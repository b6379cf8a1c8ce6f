"""Most batches name known identifiers, so that finding these decides what a batch costs."""

import pytest

from customers.identity.resolution import resolve_events
from tests import factories
from tests.cost import count_calls
from tests.factories import identify, record

pytestmark = pytest.mark.django_db

# The limit counts calls of Python and C functions.
CALLS_PER_IDENTIFIER = 25


def test_known_identifiers_are_resolved_with_few_calls():
    sender = factories.sender()
    events = [
        identify(("user_id", f"u{n}"), ("email", f"u{n}@shop.nl"), ("device", f"d{n}"))
        for n in range(100)
    ]
    record(*events, by=sender)

    few = count_calls(lambda: resolve_events(events[:50], sender))
    many = count_calls(lambda: resolve_events(events, sender))

    assert (many - few) / 150 <= CALLS_PER_IDENTIFIER
