"""Incoming SMS over HTTP, with the provider's signature."""

import json
import uuid
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from butler.models import StaffTask
from customers.actions.consent import record_statements
from customers.consent import ledger_export
from customers.consent.statements import ConsentStatement
from customers.identity import decisions
from customers.models import (
    ConsentState,
    Customer,
    Event,
    Identifier,
    LedgerEntry,
    Suppression,
)
from tests.butler.arrange import AUTHOR, guest, message
from tests.channels import provider as providers
from tests.channels.provider import SID, TOKEN
from tests.channels.sms.conftest import COMPANY_NUMBER

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NOORS = "+31612345678"


@pytest.fixture
def inbound(account, live_server):
    """Send an SMS as the provider does; return the status and the body of the response."""

    def send(body: str, *, sid: str = "", number: str = NOORS, token: str = TOKEN, **more):
        sid = f"SM{sid[2:]:0>32}" if sid else f"SM{uuid.uuid4().hex}"
        fields = {"MessageSid": sid, "From": number, "To": COMPANY_NUMBER}
        url = f"{live_server.url}/v1/sms/inbound"
        status, answer = providers.call(url, {**fields, "Body": body, **more}, token=token)
        if status != 200:
            return status, answer
        return status, "".join(ElementTree.fromstring(answer).itertext())

    return send


def off(customer) -> list[str]:
    channels_off = ConsentState.objects.filter(customer=customer).values_list(
        "channels_off", flat=True
    )
    return channels_off[0] if channels_off else []


def stopped() -> list[str]:
    return list(Suppression.objects.filter(lifted_at=None).values_list("address", flat=True))


def kinds() -> list[str]:
    return list(LedgerEntry.objects.order_by("recorded_at", "seq").values_list("kind", flat=True))


def test_stop_suppresses_the_number(inbound):
    noor = guest(phone=NOORS)

    status, answer = inbound("Stop")

    assert status == 200
    assert answer.startswith("Larkmoor: you will get no more SMS")
    assert stopped() == [NOORS]
    assert off(noor) == ["sms"]
    assert kinds() == ["preference.set", "signal.received"]
    assert Event.objects.filter(customer=noor, name="Message Received").count() == 1


def test_repeated_stop_is_recorded_once(inbound):
    noor = guest(phone=NOORS)

    inbound("STOP", sid="SM1")
    inbound("STOP", sid="SM1")
    inbound("QUIT", sid="SM2")

    assert stopped() == [NOORS]
    assert len(kinds()) == 2
    assert Event.objects.filter(customer=noor, name="Message Received").count() == 2


def test_a_number_that_nobody_proved_is_stopped_and_provably_so(inbound):
    inbound("STOP", number="+31687654321", sid="SM1")

    assert stopped() == ["+31687654321"]
    assert kinds() == ["preference.set", "signal.received"]
    entry = LedgerEntry.objects.first()
    assert ledger_export.receipt(entry.record_id, entry.entry_id, part=None) is not None
    assert json.loads(entry.document)["evidence"] == {
        "kind": "stop",
        "message": "SM" + "1".zfill(32),
    }


def test_a_shared_number_is_stopped_for_itself_and_speaks_for_none_who_used_it(inbound):
    staff = [guest(phone=NOORS) for _ in range(12)]
    assert Identifier.objects.get(kind="phone").is_shared

    assert inbound("STOP")[0] == 200

    assert stopped() == [NOORS]
    assert kinds() == ["preference.set", "signal.received"]
    assert [off(colleague) for colleague in staff] == [[]] * 12


def test_everybody_with_the_number_is_heard(inbound):
    noor, eli = guest(phone=NOORS), guest(phone="+31600000001")

    inbound("STOP")

    assert (off(noor), off(eli)) == (["sms"], [])


def test_start_lifts_the_suppression(inbound):
    noor = guest(phone=NOORS)
    inbound("STOP")

    status, answer = inbound("START")

    assert (status, stopped(), off(noor)) == (200, [], [])
    assert "send you SMS again" in answer
    assert kinds()[2:] == ["preference.cleared", "signal.received"]


def test_an_old_start_that_comes_again_does_not_undo_a_stop(inbound):
    noor = guest(phone=NOORS)
    inbound("STOP", sid="SM1")
    inbound("START", sid="SM2")
    inbound("STOP", sid="SM3")

    inbound("START", sid="SM2")

    assert stopped() == [NOORS]
    assert off(noor) == ["sms"]


def test_an_old_stop_that_comes_again_does_not_undo_a_start(inbound):
    noor = guest(phone=NOORS)
    inbound("STOP", sid="SM1")
    inbound("START", sid="SM2")

    inbound("STOP", sid="SM1")

    assert (stopped(), off(noor)) == ([], [])


def test_a_stop_is_obeyed_under_an_id_that_was_used_before(inbound):
    guest(phone=NOORS)
    inbound("START", sid="SM1")

    inbound("STOP", sid="SM1")

    assert stopped() == [NOORS]


def in_the_portal(customer, value: bool) -> None:
    word = ConsentStatement(
        "preference.set", "allow", value, channel="sms", evidence={"kind": "session"}
    )
    record_statements(customer_id=customer.pk, statements=[word], author=AUTHOR, now=timezone.now())


@pytest.mark.parametrize("first", ["portal", "stop"])
def test_start_leaves_what_was_turned_off_elsewhere(inbound, first):
    noor = guest(phone=NOORS)
    steps = [lambda: in_the_portal(noor, False), lambda: inbound("STOP")]
    for step in steps if first == "portal" else reversed(steps):
        step()

    status, answer = inbound("START")

    assert (status, stopped(), off(noor)) == (200, [], ["sms"])
    assert answer.startswith("Larkmoor: thank you. SMS is still turned off")


def test_start_leaves_what_a_record_said_that_was_joined_since(inbound):
    noor, other = guest(phone=NOORS), guest()
    inbound("STOP")
    in_the_portal(other, False)
    decisions.merge_records(noor.pk, other.pk, actor="staff:lin", now=timezone.now())

    inbound("START")

    [live] = Customer.objects.filter(pk__in=[noor.pk, other.pk], canonical=None)
    assert off(live) == ["sms"]


def test_stop_after_the_portal_is_proved_too(inbound):
    noor = guest(phone=NOORS)
    in_the_portal(noor, False)

    inbound("STOP")

    assert kinds() == ["preference.set", "signal.received"]
    assert off(noor) == ["sms"]


def test_stop_after_the_portal_turned_it_on_again_turns_it_off(inbound):
    noor = guest(phone=NOORS)
    inbound("STOP")
    in_the_portal(noor, True)

    inbound("STOP")

    assert off(noor) == ["sms"]


def test_start_does_not_lift_the_suppression_of_a_dead_number(inbound):
    Suppression.objects.create(channel="sms", address=NOORS, reason="bounced", since=timezone.now())

    inbound("START")

    assert stopped() == [NOORS]


def test_help_helps_and_asks_nobody(inbound, settings):
    settings.BUTLER_SITE_URL = "https://larkmoor.example"

    status, answer = inbound("HULP")

    assert status == 200
    assert answer.startswith("Larkmoor: wijzig je voorkeuren")
    assert "https://larkmoor.example/preferences/" in answer
    assert not StaffTask.objects.exists()


@pytest.mark.parametrize("text", ["please stop texting me", "Are dogs allowed?", "<b>&amp;"])
def test_other_text_becomes_a_staff_task(inbound, text):
    noor = guest(phone=NOORS)

    for _ in range(2):
        assert inbound(text, sid="SM1") == (200, "")

    task = StaffTask.objects.get()
    assert (task.kind, task.body, task.customer_id) == ("reply", text, noor.pk)
    assert stopped() == []
    assert Event.objects.filter(customer=noor, name="Message Received").count() == 1


def test_we_answer_in_the_language_we_last_wrote_in(inbound):
    message(guest(phone=NOORS), language="sv")

    assert inbound("STOP")[1].startswith("Larkmoor: du får inga fler sms")


def test_keyword_answered_by_the_provider_gets_no_second_answer(inbound):
    guest(phone=NOORS)

    assert inbound("Arret", OptOutType="STOP") == (200, "")
    assert stopped() == [NOORS]


def test_inbound_sms_signed_with_another_token_is_refused(inbound):
    status, answer = inbound("STOP", token="another-token")

    assert status == 401
    assert "wrong_signature" in answer
    assert stopped() == []


def test_the_account_that_stands_in_signs_with_its_own_token_and_with_no_other(inbound, settings):
    other = {"url": "http://other", "sid": "AC2", "token": "of the other", "from": COMPANY_NUMBER}
    settings.SMS_FALLBACK = other
    guest(phone=NOORS)

    assert inbound("STOP", AccountSid="AC2")[0] == 401
    assert inbound("STOP", AccountSid=SID, token="of the other")[0] == 401
    assert stopped() == []

    assert inbound("STOP", AccountSid="AC2", token="of the other")[0] == 200
    assert stopped() == [NOORS]


@pytest.mark.parametrize(
    "body", [b'{"a": 1}', b'{"a": {"b": [null]}}', b"[]", b"\xff=\xff", b"", b'{"a": "\\ud800"}']
)
@pytest.mark.parametrize("query", ["", "?bodySHA256=00", "?bodySHA256="])
def test_unsigned_body_is_refused(account, client, body, query):
    for path in ("inbound", "status"):
        response = client.post(f"/v1/sms/{path}{query}", body, content_type="application/json")

        assert response.status_code in (400, 401)


def test_without_a_provider_there_is_nothing_to_call(inbound, settings):
    settings.SMS_ACCOUNT = None

    assert inbound("STOP")[0] == 404


@pytest.mark.parametrize("fields", [{"number": ""}, {"number": "x" * 5000}])
@pytest.mark.parametrize("text", ["hello", "STOP", "START"])
def test_inbound_sms_without_a_valid_number_causes_no_error(inbound, fields, text):
    status, _ = inbound(text, **fields)

    assert status in (200, 400)


def test_a_number_is_spelled_as_proved_numbers_are(inbound):
    noor = guest(phone=NOORS)

    inbound("STOP", number="0031 6 1234 5678")

    assert (stopped(), off(noor)) == ([NOORS], ["sms"])


@pytest.mark.parametrize("text", ["😀", "a\u202eb", "x" * 10_000, "=cmd|x", "\u0000"])
def test_naughty_texts_are_kept_or_refused(inbound, text):
    assert inbound(text)[0] in (200, 400)
