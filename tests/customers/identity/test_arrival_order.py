"""Events with distinct times give the same records in every order of arrival."""

from random import Random

import pytest
from django.db import transaction

from customers.models import Identifier
from tests.customers.identity.company import WireSource

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

EVENTS = 30


def company():
    """Make sources of three spaces, with several kinds of evidence."""
    return {
        "app": WireSource("App", ids="account", addresses="checked"),
        "site": WireSource("Site", "site", ids="account"),
        "shop": WireSource("Shop", "site"),
        "other shop": WireSource("Other shop", "site"),
        "till": WireSource("Till", "store", is_shared=True),
        "passes": WireSource("Passes", "site", ids="passes", per_person="several"),
    }


def draw_events(random, sources):
    """Return (source, event) pairs about few numbers, mailboxes, cards and phones."""
    drawn = []
    for hour in range(EVENTS):
        source = random.choice(sorted(sources))
        traits = {"email": f"{random.choice('abcd')}@example.com"}
        if random.random() < 0.5:
            traits["card"] = f"LF-70{random.randint(11, 13)}"
        if random.random() < 0.3:
            traits["phone"] = f"+3161234567{random.randint(1, 2)}"
        user = "" if source == "till" else str(random.randint(41, 44))
        kind = random.choice(["identify", "identify", "track"])
        fields = {"name": "Ride Entered"} if kind == "track" else {}
        event = sources[source].event(kind, hour, user, traits=traits, **fields)
        if random.random() < 0.3:
            event["anonymousId"] = f"browser-{random.randint(1, 2)}"
        drawn.append((source, event))
    return drawn


def groups(names):
    """Return the identifiers of each record; numbers begin with the name of their source."""
    members = {}
    for identifier in Identifier.objects.all():
        value = identifier.value
        source, slash, number = value.partition("/")
        if slash and source.isdigit():
            value = f"{names[int(source)]}/{number}"
        record = identifier.customer_id or identifier.pk
        members.setdefault(record, set()).add(f"{identifier.kind} {value}")
    return {frozenset(values) for values in members.values()}


@pytest.mark.parametrize("seed", range(3))
def test_records_do_not_depend_on_the_order_of_arrival(seed):
    random = Random(seed)
    sources = company()
    names = {source.source.pk: name for name, source in sources.items()}
    events = draw_events(random, sources)
    results = []
    for _ in range(3):
        savepoint = transaction.savepoint_create()
        for source, event in events:
            sources[source].send(event)
        results.append(groups(names))
        transaction.savepoint_rollback(savepoint)
        random.shuffle(events)

    assert len(results[0]) > 3
    assert results[1] - results[0] == set()
    assert results[1:] == results[:1] * 2
