import uuid

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from butler.models import Message
from customers.consent import receipts, signing
from customers.models import Event, Identifier, LedgerEntry, User
from tests import factories
from tests.customers import consent_helpers
from tests.customers.api.conftest import Caller, key, session_of
from tests.customers.consent_helpers import NOTICE, TEXT, consent_state_of

pytestmark = pytest.mark.django_db

VOICE = {"kind": "voice", "recording": "r-1"}


def _customer(email):
    consent_helpers.house()
    record = factories.customer(("email", email))
    login = Identifier.objects.get(kind="email", value=email, evidence=2).record
    user = User.objects.create_user(email, record=login)
    return record, Caller(**{"X-Session-Token": session_of(user)})


@pytest.fixture
def noor():
    return _customer("noor@example.com")


@pytest.fixture
def eli():
    return _customer("eli@example.com")


def staff(*permissions):
    user = User.objects.create_user("sam@staff.example.com", is_staff=True, name="Sam")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return Caller(**{"X-Session-Token": session_of(user)})


def put(caller, path, **body):
    return caller.send("PUT", path, body)


def offers(app, query=None):
    consents = app.get("/api/me/consents/", query).json()["consents"]
    return next(consent for consent in consents if consent["purpose"]["key"] == "offers")


def test_consents_of_a_new_customer_are_unknown_and_have_notices(noor):
    consent = offers(noor[1], {"language": "nl-BE"})

    assert (consent["state"], consent["entry"], consent["objection"]) == ("unknown", None, None)
    assert consent["purpose"]["notice"] == {
        "version": 1,
        "language": "en",
        "text": TEXT,
        "digest": NOTICE,
    }


def test_consent_is_given_and_withdrawn_with_one_request_each(noor):
    record, app = noor
    given_response = put(app, "/api/me/consents/offers/", answer="give", notice=NOTICE)
    assert given_response.status_code == 200
    assert offers(app)["state"] == "given"
    assert offers(app)["entry"] == given_response.json()["entries"][0]

    withdrawn = put(app, "/api/me/consents/offers/", answer="withdraw")

    assert withdrawn.status_code == 200
    assert withdrawn.json()["sent_messages"] == []
    assert withdrawn["ETag"] == f'"{withdrawn.json()["version"]}"'
    assert offers(app)["state"] == "withdrawn"
    assert consent_state_of(record.id).granted == []
    assert LedgerEntry.objects.last().document.count('"kind":"session"') == 1


def test_consents_say_whether_an_app_may_ask(noor):
    app = noor[1]
    assert offers(app)["may_ask"] is True

    for answer, asks in (("refuse", False), ("give", False), ("withdraw", False)):
        put(app, "/api/me/consents/offers/", answer=answer, notice=NOTICE)
        assert offers(app)["may_ask"] is asks, answer


def test_consent_too_soon_after_a_refusal_is_refused_to_callers_for_a_customer(noor):
    desk = staff("change_consentstate", "view_consentstate")
    put(noor[1], "/api/me/consents/offers/", answer="refuse")
    path = f"/api/customers/{noor[0].id}/consents/offers/"

    refused = put(desk, path, answer="give", notice=NOTICE, evidence=VOICE)
    accepted = put(
        desk, path, answer="give", notice=NOTICE, evidence=VOICE | {"initiative": "customer"}
    )

    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (422, "asked-again")
    assert accepted.status_code == 200


def test_withdrawal_returns_messages_that_were_already_sent(noor):
    record, app = noor
    put(app, "/api/me/consents/offers/", answer="give", notice=NOTICE)
    message = factories.message(
        record, at=timezone.now(), purpose="offers", channel="email", state=Message.State.ACCEPTED
    )

    withdrawn = put(app, "/api/me/consents/offers/", answer="withdraw")

    assert [sent_message["message"] for sent_message in withdrawn.json()["sent_messages"]] == [
        str(message.pk)
    ]


def test_receipt_is_a_verifiable_file(noor, client):
    refusal = put(noor[1], "/api/me/consents/offers/", answer="refuse").json()
    keys = receipts.read_keys(client.get("/.well-known/butler-receipt-keys.json").content)
    [address] = refusal["receipts"]

    response = noor[1].get(address.removeprefix("http://testserver"))

    assert response["Content-Disposition"].startswith('attachment; filename="receipt-')
    receipt = receipts.read_file(response.content)
    assert receipts.verify(receipt, keys) == (1, 0, (), ())
    assert receipt["document"]["state"] == "ConsentRefused"


def test_ledger_export_is_a_verifiable_file(noor):
    for answer in ("refuse", "withdraw"):
        put(noor[1], "/api/me/consents/offers/", answer=answer)

    ledger_file = receipts.read_file(noor[1].get("/api/me/ledger/export/").content)

    own = {signing.signer().key_id: signing.signer().public}
    assert receipts.verify(ledger_file, own) == (2, 0, (), ())


def test_the_ledger_is_listed_by_pages_newest_first(noor):
    for answer in ("refuse", "withdraw", "refuse"):
        put(noor[1], "/api/me/consents/offers/", answer=answer)

    first = noor[1].get("/api/me/ledger/", {"limit": 2}).json()
    second = noor[1].get(first["next"].removeprefix("http://testserver")).json()

    kinds = [entry["kind"] for entry in first["results"] + second["results"]]
    assert kinds == ["consent.refused", "consent.withdrawn", "consent.refused"]
    assert second["next"] is None
    assert first["results"][0]["by"] == "self"


def test_an_objection_is_made_and_lifted(noor):
    objection = put(noor[1], "/api/me/objections/marketing/", answer="object").json()
    objections = noor[1].get("/api/me/consents/").json()["objections"]
    assert objections == {"marketing": objection["entries"][0]}

    put(noor[1], "/api/me/objections/marketing/", answer="lift")

    assert noor[1].get("/api/me/consents/").json()["objections"] == {}


def test_preferences_are_set_and_cleared_all_or_none(noor):
    path = "/api/me/preferences/"
    quiet = {"name": "quiet_hours", "value": {"from": "22:00", "to": "08:00"}}
    off = {"name": "allow", "value": False, "channel": "sms", "topic": "rides"}
    assert noor[1].patch(path, {"changes": [quiet, off]}).status_code == 200

    wrong = {"name": "zone", "value": "Mars/Olympus"}
    refused = noor[1].patch(path, {"changes": [quiet | {"clear": True, "value": None}, wrong]})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:butler:problem:bad-value")
    noor[1].patch(path, {"changes": [quiet | {"clear": True, "value": None}]})

    preferences = noor[1].get(path).json()
    assert [
        (setting["name"], setting["value"], setting["channel"])
        for setting in preferences["settings"]
    ] == [("allow", False, "sms")]
    assert {topic["key"] for topic in preferences["topics"]} == {"rides", "visits"}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("consents/offers/", {"answer": "give"}, "unknown-notice"),
        ("consents/offers/", {"answer": "give", "notice": "b" * 64}, "unknown-notice"),
        ("consents/nothing/", {"answer": "refuse"}, "unknown-purpose"),
        ("consents/offers/", {"answer": "maybe"}, "invalid-body"),
        ("consents/offers/", {"answer": "refuse", "for": "ever"}, "invalid-body"),
        ("consents/offers/", {"answer": "refuse", "occurred_at": "2026-01-01"}, "invalid-body"),
        ("objections/nothing/", {"answer": "object"}, "unknown-purpose"),
    ],
)
def test_invalid_statement_is_refused_and_changes_no_consent(noor, path, body, code):
    response = put(noor[1], f"/api/me/{path}", **body)

    assert (response.status_code, response.json()["type"]) == (422, f"urn:butler:problem:{code}")
    assert not LedgerEntry.objects.exists()


def test_ledger_entry_of_another_customer_is_not_found(noor, eli):
    entry = put(eli[1], "/api/me/consents/offers/", answer="refuse").json()["entries"][0]

    theirs = noor[1].get(f"/api/me/receipts/{entry}/")
    nobodys = noor[1].get(f"/api/me/receipts/{uuid.uuid4()}/")
    by_id = noor[1].get(f"/api/customers/{eli[0].id}/receipts/{entry}/")

    assert theirs.status_code == nobodys.status_code == by_id.status_code == 404
    assert theirs.content == nobodys.content
    assert noor[1].get("/api/me/ledger/").json()["results"] == []


def test_staff_record_a_statement_for_a_customer_with_its_evidence(noor):
    sam = staff("view_consentstate", "change_consentstate")
    path = f"/api/customers/{noor[0].id}/consents/offers/"

    unproved = put(sam, path, answer="withdraw")
    accepted = put(sam, path, answer="withdraw", evidence=VOICE)

    assert (unproved.status_code, unproved.json()["type"]) == (
        422,
        "urn:butler:problem:no-evidence",
    )
    assert accepted.status_code == 200
    [entry] = noor[1].get("/api/me/ledger/").json()["results"]
    assert (entry["by"], entry["actor"], entry["evidence"]) == ("staff", "staff:Sam", VOICE)


def test_reimported_list_restores_no_withdrawn_consent(noor):
    """keila #259, listmonk #2008."""
    old_shop = key("ingest", "read", "identify", channel="import")
    put(noor[1], "/api/me/consents/offers/", answer="withdraw")
    path = f"/api/customers/{noor[0].id}/consents/offers/"

    put(old_shop, path, answer="give", notice=NOTICE, evidence={"kind": "list", "row": "7"})

    assert offers(noor[1])["state"] == "withdrawn"
    assert len(noor[1].get("/api/me/ledger/").json()["results"]) == 2


def test_read_only_key_cannot_write(noor):
    reader = key("read")

    assert reader.get(f"/api/customers/{noor[0].id}/consents/").status_code == 200
    path = f"/api/customers/{noor[0].id}/consents/offers/"
    assert put(reader, path, answer="withdraw", evidence=VOICE).status_code == 403


def test_call_request_is_made_once_listed_and_finished(noor):
    app, sam = noor[1], staff("change_stafftask", "view_customer")
    body = {"subject": "The pass of my son", "wanted_at": "2027-01-02T10:00:00+01:00"}
    created = app.post("/api/me/requests/", body, **{"Idempotency-Key": "k1"})
    again = app.post("/api/me/requests/", body, **{"Idempotency-Key": "k1"})
    assert (created.status_code, created.content) == (201, again.content)
    reference = created.json()["reference"]

    path = f"/api/customers/{noor[0].id}/requests/{reference}/close/"
    assert sam.post(path, {"outcome": "It works again"}).status_code == 200

    [callback_request] = app.get("/api/me/requests/").json()["results"]
    assert (callback_request["status"], callback_request["subject"]) == (
        "answered",
        "The pass of my son",
    )
    assert callback_request["wanted_at"] == "2027-01-02T09:00:00Z"
    names = Event.objects.filter(about=f"request:{reference}").order_by("version")
    assert [event.name for event in names] == ["Callback Requested", "Request Answered"]


def test_customer_withdraws_only_the_own_request(noor, eli):
    reference = noor[1].post("/api/me/requests/", {}).json()["reference"]

    assert eli[1].post(f"/api/me/requests/{reference}/close/", {}).status_code == 404
    assert noor[1].post(f"/api/me/requests/{reference}/close/", {}).status_code == 200
    assert noor[1].get("/api/me/requests/").json()["results"][0]["status"] == "closed"
