"""Several who write on one ledger at once neither fork its chain nor leave a gap."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from customers import rebuild
from customers.identity import decisions
from customers.models import Customer, LedgerEntry
from tests import factories
from tests.customers import consent_helpers
from tests.customers.consent_helpers import consent_state_of, give, refuse, say, withdraw
from tests.factories import NOON

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WRITERS, EACH = 4, 8


def at_once(*acts):
    """Do these in threads, each with a connection of its own."""

    def run(act):
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [each.result() for each in [pool.submit(run, act) for act in acts]]


def test_concurrent_statements_get_different_positions():
    consent_helpers.house()
    noor = factories.customer(("user_id", "noor"))
    by = consent_helpers.author()

    def speak():
        return [say(noor.id, give(), withdraw("surveys"), by=by) for _ in range(EACH)]

    receipts = [receipt for writer in at_once(*[speak] * WRITERS) for receipt in writer]

    numbers = LedgerEntry.objects.filter(record=noor).values_list("seq", flat=True)
    assert sorted(numbers) == [*range(1, 2 * WRITERS * EACH + 1)]
    assert len({entry for receipt in receipts for entry in receipt.entries}) == 2 * WRITERS * EACH
    assert rebuild.find_differences([noor.id]) == []
    assert consent_state_of(noor.id).granted == ["offers"]


def test_refusal_during_merges_and_separations_is_not_lost():
    consent_helpers.house()
    noor, desk = (factories.customer(("user_id", name)) for name in ("noor", "desk"))
    by = consent_helpers.author()

    def speak():
        for _ in range(EACH):
            say(noor.id, give(), by=by)
            say(desk.id, refuse(), by=by)

    def turn():
        for _ in range(EACH // 2):
            decisions.merge_records(noor.id, desk.id, actor="staff:lin", now=NOON)
            decisions.separate_records(noor.id, desk.id, actor="staff:lin", now=NOON)

    at_once(speak, turn)
    for ids in rebuild.live_ids():
        assert rebuild.find_differences(ids) == []
    assert Customer.objects.live().count() == 2
    # The last statement of each record; it counts for both if they were merged at that moment.
    last = LedgerEntry.objects.filter(kind="consent.refused").latest("occurred_at")
    assert consent_state_of(desk.id).granted == []
    assert desk.id in last.speaks_for
