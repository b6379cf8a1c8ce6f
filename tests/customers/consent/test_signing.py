import base64

import pytest

from config import checks
from customers.consent import ledger_export, receipts, signing
from customers.models import ReceiptKey
from tests import factories
from tests.customers import consent_helpers
from tests.customers.consent_helpers import give, say

pytestmark = pytest.mark.django_db


def seed(byte):
    return base64.b64encode(bytes([byte]) * 32).decode()


def published(client):
    answer = client.get("/.well-known/butler-receipt-keys.json")
    return answer, receipts.read_keys(answer.content)


def test_public_keys_are_available_to_everyone(client, settings):
    settings.RECEIPT_KEY = seed(1)

    answer, keys = published(client)

    assert keys == {signing.signer().key_id: signing.signer().public}
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert client.post("/.well-known/butler-receipt-keys.json").status_code == 405


def test_receipt_from_before_a_key_change_stays_verifiable(client, settings):
    consent_helpers.house()
    noor = factories.customer(("user_id", "noor"))
    [entry] = say(noor.id, give()).entries
    settings.RECEIPT_KEY = seed(1)
    old = ledger_export.receipt(noor.id, entry, part=None)

    settings.RECEIPT_KEY = seed(2)
    new = ledger_export.receipt(noor.id, entry, part=None)
    _, keys = published(client)

    assert old != new
    assert len(keys) == ReceiptKey.objects.count() == 2
    for receipt in (old, new):
        assert receipts.verify(receipts.read_file(receipt), keys) == (1, 0, (), ())


@pytest.mark.parametrize(
    ("key", "is_good"),
    [
        ("", False),
        ("not base64!", False),
        (base64.b64encode(bytes(31)).decode(), False),
        (base64.b64encode(bytes(33)).decode(), False),
        (seed(1), True),
    ],
)
def test_system_check_fails_without_a_valid_signing_key(settings, key, is_good):
    settings.RECEIPT_KEY = key

    assert (checks.check_receipt_key() == []) is is_good


def test_receipt_is_found_only_for_its_customer():
    consent_helpers.house()
    noor, eli = (factories.customer(("user_id", name)) for name in ("noor", "eli"))
    [entry] = say(noor.id, give()).entries

    assert ledger_export.receipt(eli.id, entry, part=None) is None
    assert (
        receipts.read_file(ledger_export.receipt(noor.id, entry, part=None))["document"]["purpose"]
        == "offers"
    )
