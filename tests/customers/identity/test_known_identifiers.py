"""The cache of identifiers: a batch with it is stored as a batch without it."""

from collections import Counter
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from django.test import TestCase

from customers.actions import erasure
from customers.events import internal_sources
from customers.identity import decisions, known_identifiers
from customers.models import BlockedValue, Customer, Event, Identifier, Link
from tests import factories
from tests.customers.graph import misplaced_identifiers
from tests.factories import NOON, identify, incoming_event, record

ACCOUNT, BOX, DEVICE = ("user_id", "noor"), ("email", "noor@example.com"), ("anonymous_id", "c1")
OTHER_ACCOUNT, OTHER_BOX = ("user_id", "sam"), ("email", "sam@example.com")


@pytest.fixture
def app():
    return factories.sender()


def store(*events, by):
    """Store events in a transaction that commits, as far as this process can tell."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        return record(*events, by=by)


def visit(hour=1, *, account=ACCOUNT):
    return incoming_event(account, BOX, DEVICE, at=NOON + timedelta(hours=hour))


@pytest.fixture
def regular(app):
    """Two customers, one of whom this process knows."""
    store(identify(OTHER_ACCOUNT, OTHER_BOX), by=app)
    store(identify(ACCOUNT, BOX, DEVICE), by=app)
    for hour in (1, 2):
        store(visit(hour), by=app)
    return stored(ACCOUNT)


def stored(identifier, period=0):
    kind, value = identifier
    return Identifier.objects.get(kind=kind, value__endswith=value, period=period)


@pytest.mark.django_db
def test_known_batch_runs_two_statements_and_touches_no_row_of_who_is_who(
    regular, app, count_statements
):
    def rows():
        tables = (Identifier, Link)
        return [
            list(table.objects.order_by("id").extra(select={"x": "xmin::text"}).values_list())
            for table in tables
        ]

    before = rows()
    with count_statements() as statements:
        store(visit(3), by=app)

    assert statements == ["lock_known_records", "append_events"]
    assert rows() == before


@pytest.mark.django_db
def test_unknown_identifiers_of_a_batch_are_resolved_with_the_known_ones(
    regular, app, count_statements
):
    with count_statements() as statements:
        outcome = store(visit(3), incoming_event(OTHER_ACCOUNT, OTHER_BOX), by=app)

    assert Counter(statements)["resolve_identifiers"] == 1
    assert "lock_known_records" not in statements
    owners = [stored(ACCOUNT).customer_id, stored(OTHER_ACCOUNT).customer_id]
    assert factories.owners(outcome) == owners


def merges():
    pair = stored(ACCOUNT).record_id, stored(OTHER_ACCOUNT).record_id
    decisions.merge_records(*pair, actor="staff:lin", now=NOON + timedelta(hours=4))


def merges_and_undoes():
    pair = stored(ACCOUNT).record_id, stored(OTHER_ACCOUNT).record_id
    (merge,) = decisions.merge_records(*pair, actor="staff:lin", now=NOON + timedelta(hours=4))
    decisions.undo_decision(
        decision_id=merge.pk, actor="staff:lin", now=NOON + timedelta(hours=4.5)
    )


def separates_the_mailbox():
    pair = stored(ACCOUNT).pk, stored(BOX).pk
    decisions.decide("separate", *pair, actor="staff:lin", now=NOON + timedelta(hours=4))


def separates_the_device():
    pair = stored(ACCOUNT).pk, stored(DEVICE).pk
    decisions.decide("separate", *pair, actor="staff:lin", now=NOON + timedelta(hours=4))


def erases():
    record_id = stored(ACCOUNT).customer_id
    now = NOON + timedelta(hours=4)
    erasure.erase(customer_id=record_id, reason="asked", actor="staff:pia", now=now)


def blocks_the_account():
    BlockedValue.objects.create(kind=ACCOUNT[0], value=ACCOUNT[1])


def blocks_the_mailbox():
    BlockedValue.objects.create(kind=BOX[0], value=BOX[1])


def gives_the_device_to_two_customers(app):
    record(identify(OTHER_ACCOUNT, DEVICE, at=NOON + timedelta(hours=4)), by=app)


def replaces_the_mailbox(app):
    record(identify(ACCOUNT, ("email", "new@example.com"), at=NOON + timedelta(hours=4)), by=app)


def makes_the_account_a_placeholder(app):
    for number in range(6):
        mailbox = ("email", f"guest{number}@example.com")
        record(identify(ACCOUNT, mailbox, at=NOON + timedelta(hours=4, minutes=number)), by=app)


def joins_by_a_proof(app):
    number = (f"user_id:{app.source_id}", OTHER_ACCOUNT[1])
    event = identify(number, BOX, at=NOON + timedelta(hours=4), email_verified=True)
    record(event, by=internal_sources.BUTLER)


def files_events_on_the_device(app):
    record(incoming_event(DEVICE, at=NOON + timedelta(hours=4)), by=app)


CHANGES = [
    merges,
    merges_and_undoes,
    separates_the_mailbox,
    separates_the_device,
    erases,
    blocks_the_account,
    blocks_the_mailbox,
]
CHANGES_BY_EVENTS = [
    gives_the_device_to_two_customers,
    replaces_the_mailbox,
    makes_the_account_a_placeholder,
    joins_by_a_proof,
    files_events_on_the_device,
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "repeated", [visit(5), visit(-1), identify(ACCOUNT, BOX, DEVICE, at=NOON + timedelta(hours=5))]
)
@pytest.mark.parametrize("change", [*CHANGES, *CHANGES_BY_EVENTS])
def test_change_by_another_process_counts_for_the_next_batch(regular, app, change, repeated):
    """Another process knows nothing of this cache, and this process nothing of the change."""
    other_process = {}
    own = known_identifiers._caches.copy()
    known_identifiers._caches.clear()
    change(app) if change in CHANGES_BY_EVENTS else change()

    outcomes = []
    for caches in (own, other_process):
        known_identifiers._caches.clear()
        known_identifiers._caches.update(caches)
        savepoint = transaction.savepoint_create()
        ingested = record(repeated, by=app)
        receipt = [(outcome.status, outcome.reason) for outcome in ingested.outcomes]
        outcomes.append((receipt, ingested.warnings, _who_is_who()))
        assert misplaced_identifiers() == []
        transaction.savepoint_rollback(savepoint)

    assert outcomes[0] == outcomes[1]


def _who_is_who():
    """Return all that a batch decides: records, links, and where the last events are filed."""
    customers = list(Customer.objects.values_list("id", flat=True).order_by("created_at", "id"))
    names = {customer: number for number, customer in enumerate(customers)}
    identifiers = Identifier.objects.order_by("kind", "value", "evidence", "period")
    keys = {row.pk: (row.kind, row.value, row.evidence, row.period) for row in identifiers}
    rows = [
        (keys[row.pk], names.get(row.record_id), names.get(row.customer_id), row.is_shared)
        for row in identifiers
    ]
    links = sorted(
        (
            *sorted((keys[link.first_id], keys[link.second_id])),
            link.kind,
            link.evidence,
            link.state,
            link.occurred_at,
        )
        for link in Link.objects.all()
    )
    events = Event.objects.exclude(kind="identity").order_by("received_at", "arrival")
    filed = [
        (names[event.customer_id], event.version, [keys[id_] for id_ in event.identifier_ids])
        for event in events
    ]
    return rows, links, filed


@pytest.mark.django_db
def test_rolled_back_transaction_leaves_nothing_in_the_cache(app):
    with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
        record(identify(ACCOUNT, BOX, DEVICE), by=app)
        record(visit(), by=app)
        transaction.set_rollback(True)

    assert known_identifiers._caches == {}


@pytest.mark.django_db
def test_cache_of_another_server_is_forgotten(regular, app):
    (cache,) = known_identifiers._caches.values()
    cache.state += 1
    for key, identifier in cache.identifiers.items():
        cache.identifiers[key] = identifier._replace(row=identifier.row._replace(id=-1))

    record(visit(3), by=app)

    latest = Event.objects.filter(kind="track").latest("version")
    assert sorted(latest.identifier_ids) == sorted(
        stored(identifier).pk for identifier in (ACCOUNT, BOX, DEVICE)
    )


@pytest.mark.django_db
def test_cache_keeps_a_limited_number_of_identifiers(app, monkeypatch):
    monkeypatch.setattr(known_identifiers, "_MAX_ENTRIES", 10)
    visits = [incoming_event(("user_id", f"u{number}"), DEVICE) for number in range(40)]
    for _ in range(3):
        for event in visits:
            store(event, by=app)

    (cache,) = known_identifiers._caches.values()
    assert 0 < len(cache.identifiers) <= 12
    assert len(cache.links) <= 11


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "grows"),
    [
        ({"is_shared": True}, True),
        ({"is_placeholder": True}, True),
        ({"customer_id": None}, True),
        ({"record_id": None}, True),
        ({"period": 3}, True),
        ({"best_evidence": 50}, False),
        ({"proved_at": NOON}, False),
        ({"preferred_at": NOON}, False),
    ],
)
def test_grouping_version_grows_with_each_change_that_the_cache_relies_on(regular, changes, grows):
    before = Customer.objects.get(id=regular.customer_id).grouping_version

    Identifier.objects.filter(pk=regular.pk).update(**changes)

    after = Customer.objects.get(id=regular.customer_id).grouping_version
    assert (after > before) is grows


@pytest.mark.django_db
def test_grouping_version_grows_with_a_replaced_a_later_and_a_deleted_link(regular):
    def version():
        return Customer.objects.get(id=regular.customer_id).grouping_version

    link = Link.objects.filter(first=regular.pk) | Link.objects.filter(second=regular.pk)
    versions = [version()]
    for change in ({"state": "replaced"}, {"occurred_at": NOON + timedelta(days=9)}):
        link.update(**change)
        versions.append(version())
    link.delete()
    versions.append(version())

    assert versions == sorted(set(versions))


@pytest.mark.django_db(transaction=True)
def test_batch_that_waits_for_a_merge_is_filed_on_the_merged_record(app):
    for _ in range(3):
        record(identify(ACCOUNT, BOX), identify(OTHER_ACCOUNT, OTHER_BOX), by=app)
    pair = stored(ACCOUNT).record_id, stored(OTHER_ACCOUNT).record_id
    (cache,) = known_identifiers._caches.values()
    assert len(cache.identifiers) == 4
    events = [incoming_event(account, at=NOON) for account in (ACCOUNT, OTHER_ACCOUNT)]

    with transaction.atomic():
        decisions.merge_records(*pair, actor="staff:lin", now=NOON)
        others = [Thread(target=_in_thread, args=(event, app)) for event in events]
        for other in others:
            other.start()
        others[0].join(0.5)
    for other in others:
        other.join(10)

    tracks = Event.objects.filter(kind="track")
    assert list(tracks.values_list("customer_id", flat=True)) == [min(pair)] * 2


def _in_thread(event, by):
    try:
        record(event, by=by)
    finally:
        connection.close()
