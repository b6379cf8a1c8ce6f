"""The strongest evidence of identifiers that were stored before they had one."""

from datetime import timedelta

import pytest

from customers.models import Identifier
from customers.types import CONFIRMED, NOTED, STATED
from tests import factories
from tests.customers.test_rebuild_identities import NOOR, NOTHING, NUMBER, SAM, identities
from tests.factories import NOON, identify, incoming_event, record

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def app():
    return factories.sender(factories.source("app"))


@pytest.fixture
def shop():
    return factories.sender(factories.source("shop", "web"))


def test_rebuild_restores_the_missing_evidence_of_identifiers(app, shop):
    till = factories.sender(factories.source("till", "till"))
    record(identify(NUMBER, NOOR), by=app)
    record(incoming_event(("user_id", "8"), SAM), by=till)
    record(identify(("user_id", "9"), ("card", "LF-7001"), email_verified=True), by=shop)
    names = ("kind", "value", "best_evidence")
    before = sorted(Identifier.objects.values_list(*names))
    assert {evidence for *_, evidence in before} == {NOTED, STATED}
    Identifier.objects.update(best_evidence=None)

    assert identities("--dry-run")[-2].endswith("6 identifiers and links change")
    assert not Identifier.objects.exclude(best_evidence=None).exists()
    identities()

    assert sorted(Identifier.objects.values_list(*names)) == before
    assert identities("--dry-run")[-1].endswith(NOTHING)


def test_missing_evidence_counts_as_stated_until_a_proof(app):
    record(identify(NUMBER, NOOR), by=app)
    Identifier.objects.update(best_evidence=None)
    record(incoming_event(NUMBER, NOOR, at=LATER), by=app)
    assert not Identifier.objects.exclude(best_evidence=None).exists()

    record(identify(NUMBER, NOOR, at=LATER, email_verified=True), by=app)

    assert set(Identifier.objects.values_list("best_evidence", flat=True)) == {CONFIRMED}
