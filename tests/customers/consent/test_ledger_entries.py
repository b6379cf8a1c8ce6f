from datetime import timedelta

from customers.consent.ledger_entries import expired_consents
from tests.customers.consent.entries import A, B, C, entry
from tests.factories import NOON


def test_consents_expire_for_the_records_that_gave_them():
    soon, late = (NOON + timedelta(days=days) for days in (1, 9))
    rows = [
        entry("consent.given", for_=(A, B), valid_until=soon.isoformat()),
        entry("consent.given", at=1, for_=(B,), valid_until=late.isoformat()),
        entry("consent.given", "surveys", for_=(C,)),
    ]

    assert expired_consents(rows, [A, B, C], soon - timedelta(seconds=1)) == {}
    assert expired_consents(rows, [A, B, C], soon) == {("offers", soon): [A]}
    assert expired_consents(rows, [A, B, C], late) == {("offers", soon): [A], ("offers", late): [B]}
