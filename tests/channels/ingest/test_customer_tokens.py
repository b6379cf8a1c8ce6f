"""Events with a publishable key and a customer token are on the record of this customer."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.ingest import customer_tokens
from customers.models import Event, Identifier, Link, QuarantinedItem, SourceWarning, Trait
from customers.types import CLAIMED
from tests.customers.identity.company import email, record_of, timeline
from tests.customers.identity.signed_in import SignedIn
from tests.customers.identity.signed_in_app import SignedInApp, click
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

SUCCESS = b'{"success": true}'
BOX = "noor@example.com"
HOURS_AGO = {
    "iat": datetime.now(UTC) - timedelta(hours=3),
    "exp": datetime.now(UTC) - timedelta(hours=2),
}


def session(token):
    return {"X-Session-Token": token}


def warnings():
    return dict(SourceWarning.objects.values_list("code", "count"))


def names_on(app, identifier):
    return timeline(app.server, record_of(identifier))


@pytest.fixture
def app():
    return SignedInApp()


# The record of the customer ------------------------------------------------------------------


def test_events_with_a_session_are_on_the_record_of_the_customer(app):
    noor = SignedIn(BOX)

    response = app.post(click(), click(event="Ride Liked"), headers=session(noor.token))

    assert response.content == SUCCESS
    assert noor.timeline() == ["Address Proved", "Map Opened", "Ride Liked"]
    assert names_on(app, email(BOX)) == noor.timeline()


def test_event_with_an_identity_token_is_on_the_record_of_the_account(app):
    app.server.identify(1, "42", email=BOX)

    app.post(click(app.token("42")), click(app.token("7"), anonymousId="browser-2"))

    assert names_on(app, app.account("42")) == ["identify", "Map Opened"]
    assert names_on(app, app.account("7")) == ["Map Opened"]


def test_token_of_the_batch_counts_for_events_without_their_own(app):
    app.post(click(), click(app.token("7")), context={"identityToken": app.token("42")})

    assert names_on(app, app.account("42")) == ["Map Opened"]
    assert names_on(app, app.account("7")) == ["Map Opened"]


@pytest.mark.parametrize("path", ["/v1/track", "/v1/t"])
def test_single_event_with_a_token_is_on_the_record_of_the_account(app, path):
    app.post(click(app.token("42")), path=path)

    assert names_on(app, app.account("42")) == ["Map Opened"]


def test_cloudevent_with_a_session_is_on_the_record_of_the_customer(app):
    noor = SignedIn(BOX)
    event = {"specversion": "1.0", "id": "1", "source": "/app", "type": "Map Opened"}

    app.post(event, path="/v1/events", headers=session(noor.token))

    assert noor.timeline() == ["Address Proved", "Map Opened"]


def test_event_with_a_token_needs_no_other_identifier(app):
    app.post(click(app.token("42"), anonymousId=None))

    assert names_on(app, app.account("42")) == ["Map Opened"]
    assert not QuarantinedItem.objects.exists()


def test_number_that_is_spelled_like_an_address_is_that_mailbox(app):
    app.post(click(app.token("Noor@Example.com")))

    assert names_on(app, email(BOX)) == ["Map Opened"]


def test_session_decides_for_events_that_also_have_an_identity_token(app):
    noor = SignedIn(BOX)

    app.post(click(app.token("42")), headers=session(noor.token))

    assert noor.timeline() == ["Address Proved", "Map Opened"]
    assert not Identifier.objects.filter(kind="user_id").exists()


def test_event_that_names_its_own_customer_makes_no_claim_of_her(app):
    app.post(click(app.token("42"), userId="42"))

    assert not Identifier.objects.filter(kind="user_id", evidence=CLAIMED).exists()
    assert names_on(app, app.account("42")) == ["Map Opened"]


# Claims --------------------------------------------------------------------


def test_traits_and_orders_with_a_token_are_claims(app):
    app.server.identify(1, "42", name="Noor", email=BOX)
    order = {"order_id": "A-1", "total": "1.00", "currency": "EUR"}

    app.post(
        click(app.token("42"), type="identify", traits={"name": "Eve", "email": "eve@mail.nl"}),
        click(app.token("42"), event="Order Completed", properties=order),
    )

    traits = Trait.objects.filter(customer=record_of(app.account("42")))
    assert dict(traits.values_list("name", "value")) == {"name": "Noor", "email": BOX}
    answer = WsgiClient(headers={"Authorization": f"Bearer {app.server.key}"}).get(
        f"/api/customers/{record_of(app.account('42'))}/orders/"
    )
    assert [order["is_verified"] for order in answer.json()["results"]] == [False]


def test_other_identifiers_in_the_event_stay_claims(app):
    app.server.identify(1, "victim", email="victim@mail.nl", phone="+31612345678")
    before = names_on(app, app.account("victim"))

    app.post(
        click(
            app.token("42"),
            type="identify",
            userId="victim",
            traits={"email": "victim@mail.nl", "phone": "+31612345678", "card": "C-1234"},
        )
    )

    assert names_on(app, app.account("victim")) == before
    assert record_of(app.account("42")) != record_of(app.account("victim"))
    others = Link.objects.exclude(second__kind="anonymous_id").filter(first__value__endswith="/42")
    assert set(others.values_list("evidence", flat=True)) == {CLAIMED}


# The sender and the log --------------------------------------------------------


def test_no_token_is_stored_in_events(app):
    noor = SignedIn(BOX)
    token = app.token("42")

    app.post(click(token), click(), context={"identityToken": token, "locale": "nl-NL"})
    app.post(click(token), headers=session(noor.token))
    app.post(click(token), click(), headers={"Authorization": f"Bearer {app.server.key}"})

    bodies = [event.body for event in Event.objects.filter(name="Map Opened")]
    assert len(bodies) == 5
    assert not any(secret in str(body) for body in bodies for secret in (token, noor.token))
    assert {body["context"].get("locale") for body in bodies if "context" in body} == {
        "nl-NL",
        None,
    }


def test_escaped_name_does_not_store_the_token(app):
    token = app.token("42")
    body = b'{"type":"track","event":"A","context":{"identity\\u0054oken":"%b"}}' % token.encode()

    response = WsgiClient().post(
        "/v1/track",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {app.key}"},
    )

    assert response.status_code == 200
    assert Event.objects.get().body["context"] == {}
    assert names_on(app, app.account("42")) == ["A"]


def test_no_token_is_stored_in_quarantine(app):
    token = app.token("42")

    app.post(click(token, type="unknown"), click(token, messageId="m" * 200))
    app.post(click(token, messageId="once"), click(token, messageId="once", event="Other"))

    stored = [bytes(raw) for raw in QuarantinedItem.objects.values_list("raw", flat=True)]
    assert len(stored) == 3
    assert not any(token.encode() in raw or token[:30].encode() in raw for raw in stored)


def test_event_that_is_sent_again_with_a_new_token_is_a_duplicate(app):
    event = click(app.token("42"))
    later = event | {"context": {"identityToken": app.token("42", iat=datetime.now(UTC))}}

    app.post(event)
    response = app.post(later)

    assert (response["Butler-Accepted"], response["Butler-Duplicates"]) == ("0", "1")


def test_secret_key_needs_no_token_and_ignores_it(app):
    event = click(app.token("7"), userId="42")

    response = WsgiClient().post(
        "/v1/batch",
        {"batch": [event]},
        content_type="application/json",
        headers={"Authorization": f"Bearer {app.server.key}"} | session("ended"),
    )

    assert "Butler-Warnings" not in response
    assert names_on(app, app.account("42")) == ["Map Opened"]
    assert not Identifier.objects.filter(value__endswith="/7").exists()


def test_page_of_another_origin_may_send_the_session_header():
    response = WsgiClient().options(
        "/v1/batch",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-session-token",
        },
    )

    assert "x-session-token" in response["Access-Control-Allow-Headers"]
    assert response["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Access-Control-Allow-Credentials" not in response


# Tokens that prove nothing --------------------------------------------------------------


def assert_is_claim(response, code, count=1):
    assert (response.content, response["Butler-Accepted"]) == (SUCCESS, str(count))
    assert "Butler-Warnings" not in response
    event = Event.objects.filter(name="Map Opened").latest("received_at")
    first = Identifier.objects.get(pk=event.identifier_ids[0])
    assert (event.evidence, first.kind, first.evidence) == (CLAIMED, "anonymous_id", CLAIMED)
    assert warnings() == {code: count}


def test_expired_token_makes_claims_and_a_warning(app):
    event = click(app.token("42", **HOURS_AGO))

    response = app.post(event)

    assert_is_claim(response, "identity_token_expired")
    assert SourceWarning.objects.get().example == event["messageId"]


@pytest.mark.parametrize(
    "token",
    ["", "undefined", 7, {"a": 1}, "e" * 5_000],
    ids=["empty", "word", "int", "dict", "long"],
)
def test_value_that_is_no_token_makes_claims_and_a_warning(app, token):
    assert_is_claim(app.post(click(token)), "identity_token_invalid")


@pytest.mark.parametrize("number", ["guest", "undefined", "  ", "x" * 600])
def test_token_that_names_nobody_makes_claims_and_a_warning(app, number):
    assert_is_claim(app.post(click(app.token(number))), "identity_token_invalid")


def test_source_without_a_secret_has_no_valid_token(app):
    token = app.token("42")
    app.source.identity_secrets = []
    app.source.save()

    assert_is_claim(app.post(click(token)), "identity_token_invalid")


def test_ended_session_makes_claims_and_a_warning(app):
    noor = SignedIn(BOX)
    Session.objects.all().delete()

    response = app.post(click(), click(), headers=session(noor.token))

    assert_is_claim(response, "session_ended", 2)


def test_warnings_of_repeated_events_count_once(app):
    event = click("undefined")

    app.post(event)
    app.post(event)

    assert warnings() == {"identity_token_invalid": 1}


# Cost ---------------------------------------------------------------------------------


def statements(send):
    with CaptureQueriesContext(connection) as queries:
        response = send()
    assert response["Butler-Accepted"] == "3"
    return len(queries)


def test_session_and_an_identity_token_take_one_more_statement(app):
    noor = SignedIn(BOX)
    app.post(click(), headers=session(noor.token))
    app.post(click(app.token("42")))
    token = app.token("42")

    plain = statements(lambda: app.post(*(click() for _ in range(3))))
    with_session = statements(
        lambda: app.post(*(click() for _ in range(3)), headers=session(noor.token))
    )
    with_token = statements(lambda: app.post(*(click(token) for _ in range(3))))

    assert (with_session - plain, with_token - plain) == (1, 1)


def test_each_token_is_verified_once_and_only_some_of_them(app, monkeypatch):
    verified = []
    verify = customer_tokens.identity_tokens.verify

    def counted(token, **options):
        verified.append(token)
        return verify(token, **options)

    monkeypatch.setattr(customer_tokens.identity_tokens, "verify", counted)
    tokens = [app.token(str(number)) for number in range(100, 300)]

    app.post(*(click(token) for token in tokens for _ in range(3)))

    assert verified == tokens[: customer_tokens.MAX_TOKENS]
    assert warnings() == {"identity_token_invalid": 3 * (200 - customer_tokens.MAX_TOKENS)}


# The timeline -------------------------------------------------------------------------


def shown(app, record):
    answer = WsgiClient(headers={"Authorization": f"Bearer {app.server.key}"}).get(
        f"/api/customers/{record}/timeline/"
    )
    return [
        (event["name"] or event["kind"], event["is_verified"], event["is_signed_in"])
        for event in reversed(answer.json()["results"])
        if event["kind"] != "identity"
    ]


def test_timeline_tells_a_signed_in_customer_from_a_claim_and_from_the_server(app):
    app.server.track(1, "42")
    app.post(click(event="Home Opened"))
    app.post(click(app.token("42")))

    assert shown(app, record_of(app.account("42"))) == [
        ("Ride Entered", True, False),
        ("Home Opened", False, False),
        ("Map Opened", False, True),
    ]


def test_timeline_is_the_same_forward(app):
    app.post(click(app.token("42")), click(event="Home Opened"))
    client = WsgiClient(headers={"Authorization": f"Bearer {app.server.key}"})
    path = f"/api/customers/{record_of(app.account('42'))}/timeline/"
    page = client.get(path + "?limit=1").json()
    back = client.get(page["next"]).json()["previous"]

    assert client.get(back).json()["results"] == page["results"]
