"""Attacks on the events of the signed-in app: with tokens that are foreign, old, forged or one's own.

The attacker has the publishable key, which everybody can read in a page.
"""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from channels.quarantine.replay import replay
from customers.actions import sign_in
from customers.models import Event, Identifier, QuarantinedItem, SourceWarning, Trait, User
from customers.types import CLAIMED
from tests import factories
from tests.customers.identity.company import email, record_of, timeline
from tests.customers.identity.signed_in import SignedIn
from tests.customers.identity.signed_in_app import SignedInApp, click
from tests.customers.identity.test_erasures import erase
from tests.identity_tokens import claims_of
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

VICTIM, BOX = "42", "victim@mail.nl"
SUCCESS = b'{"success": true}'


@pytest.fixture
def app():
    app = SignedInApp()
    app.server.identify(1, VICTIM, email=BOX, name="Noor")
    app.server.order(2, "A-1", VICTIM, email=BOX)
    return app


def victims_events(app):
    return timeline(app.server, record_of(app.account(VICTIM)))


def assert_has_no_effect(app, *events, code="", **options):
    """Send events; nothing of them is on the record of the victim, and the answer tells nothing."""
    before = victims_events(app)

    response = app.post(*events, **options)

    assert victims_events(app) == before
    assert response.content == SUCCESS
    assert "Butler-Warnings" not in response
    assert [*SourceWarning.objects.values_list("code", flat=True)] == [code] * bool(code)


# Tokens of others ----------------------------------------------------------------------


def test_token_of_another_source_is_refused(app):
    other = SignedInApp("Other", ids="other")

    assert_has_no_effect(app, click(other.token(VICTIM)), code="identity_token_invalid")


def test_token_of_another_source_that_names_this_one_is_refused(app):
    other = SignedInApp("Other", ids="other")
    token = other.token(VICTIM, iss=str(app.source.pk))

    assert_has_no_effect(app, click(token), code="identity_token_invalid")


def test_token_for_another_audience_is_refused(app):
    token = app.token(VICTIM, aud="chat")

    assert_has_no_effect(app, click(token), code="identity_token_invalid")


def test_token_of_this_source_at_another_source_names_nobody_there(app):
    other = SignedInApp("Other", ids="app")

    before = victims_events(app)
    other.post(click(app.token(VICTIM)))

    assert victims_events(app) == before


def test_copied_token_is_of_no_use_when_its_hour_is_over(app):
    hours_ago = datetime.now(UTC) - timedelta(hours=2)
    token = app.token(VICTIM, iat=hours_ago, exp=hours_ago + timedelta(hours=1))
    backdated = click(token, timestamp=hours_ago.isoformat(), sentAt=hours_ago.isoformat())

    assert_has_no_effect(app, backdated, code="identity_token_expired")


def test_token_of_an_ended_secret_is_refused(app):
    token = app.token(VICTIM)
    app.source.refresh_from_db()
    app.source.identity_secrets = ["idsec_" + "x" * 43]
    app.source.save()

    assert_has_no_effect(app, click(token), code="identity_token_invalid")


@pytest.mark.parametrize("algorithm", ["none", "NONE", "RS256", "HS512"])
def test_token_without_a_signature_of_the_secret_is_refused(app, algorithm):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = claims_of(app.source, VICTIM)
    claims |= {name: int(claims[name].timestamp()) for name in ("iat", "exp")}
    signatures = ("", jwt.encode(claims, app.key.zfill(64)).rpartition(".")[2])
    forged = [f"{part({'alg': algorithm})}.{part(claims)}.{text}" for text in signatures]

    assert_has_no_effect(app, *(click(token) for token in forged), code="identity_token_invalid")


def test_token_signed_with_the_publishable_key_is_refused(app):
    forged = jwt.encode(claims_of(app.source, VICTIM), app.key)

    assert_has_no_effect(app, click(forged), code="identity_token_invalid")


def test_thousands_of_forged_tokens_are_not_verified(app):
    genuine = app.token("7")
    forged = [click(f"eyJ{number}.e30.x") for number in range(1_000)]

    app.post(click(genuine, anonymousId="own"), *forged)

    assert SourceWarning.objects.get().count == 1_000
    assert timeline(app.server, record_of(app.account("7"))) == ["Map Opened"]


# Sessions ------------------------------------------------------------------------------


def test_ended_and_invented_sessions_name_nobody(app):
    victim = SignedIn(BOX)
    Session.objects.all().delete()

    for token in (victim.token, "a" * 32, "-", "' OR 1=1 --", "\x00", "é", "x" * 10_000):
        SourceWarning.objects.all().delete()
        assert_has_no_effect(app, click(), headers={"X-Session-Token": token}, code="session_ended")


def test_session_of_a_blocked_login_names_nobody(app):
    victim = SignedIn(BOX)
    User.objects.update(is_active=False)

    assert_has_no_effect(
        app, click(), headers={"X-Session-Token": victim.token}, code="session_ended"
    )


def test_session_names_nobody_after_its_login_changed_its_credential(app):
    victim = SignedIn(BOX)
    user = User.objects.get()
    user.set_unusable_password()
    user.save()

    assert_has_no_effect(
        app, click(), headers={"X-Session-Token": victim.token}, code="session_ended"
    )


def test_session_of_staff_is_no_customer(app):
    SignedIn("sam@company.example")
    client, user = Client(), User.objects.get()
    User.objects.update(is_staff=True)
    user.refresh_from_db()
    client.force_login(user)

    assert_has_no_effect(
        app,
        click(),
        headers={"X-Session-Token": client.session.session_key},
        code="session_ended",
    )
    assert timeline(app.server, record_of(email("sam@company.example"))) == ["Address Proved"]


def test_cookie_of_a_browser_is_no_token(app):
    SignedIn(BOX)
    client = WsgiClient()
    client.force_login(User.objects.get())

    assert client.cookies["sessionid"].value
    assert_has_no_effect(app, click(), client=client, headers={"Origin": "https://evil.example"})


def test_session_of_an_earlier_holder_names_nobody_after_the_address_changed_hands(app):
    victim = SignedIn(BOX)
    mailbox = Identifier.objects.get(kind="email", value=BOX, evidence=2)
    later = factories.sender(app.source)
    factories.record(factories.incoming_event(("user_id", "new")), by=later)
    Identifier.objects.create(
        kind="email",
        value=BOX,
        evidence=2,
        period=mailbox.period + 1,
        period_starts_at=datetime.now(UTC),
        first_seen_at=datetime.now(UTC),
        record=Identifier.objects.get(value__endswith="/new").record,
        customer=Identifier.objects.get(value__endswith="/new").customer,
    )

    assert_has_no_effect(
        app, click(), headers={"X-Session-Token": victim.token}, code="session_ended"
    )
    assert timeline(app.server, record_of(app.account("new"))) == ["Ride Entered"]


# A customer with a token of her own -----------------------------------------------------


def own_token(app):
    return app.token("attacker")


def test_own_token_opens_nothing_of_a_named_customer(app):
    events = [
        click(own_token(app), type="identify", userId=VICTIM, traits={"email": BOX, "name": "X"}),
        click(own_token(app), type="alias", userId=VICTIM, previousId=BOX),
        click(own_token(app), type="group", userId=VICTIM, groupId="g"),
        click(own_token(app), userId=f"{VICTIM}"),
    ]
    externals = [{"type": "user_id", "id": VICTIM}, {"type": "email", "id": BOX}]
    events.append(click(userId=VICTIM) | {"context": {"externalIds": externals}})
    events[-1]["context"]["identityToken"] = own_token(app)

    assert_has_no_effect(app, *events)

    assert record_of(app.account("attacker")) != record_of(app.account(VICTIM))
    assert Trait.objects.get(customer=record_of(app.account(VICTIM)), name="name").value == "Noor"


def test_own_token_changes_no_order_of_another_customer(app):
    for name in ("Order Completed", "Order Updated", "Order Cancelled", "Order Refunded"):
        order = {"order_id": "A-1", "total": "0.00", "currency": "EUR"}
        assert_has_no_effect(app, click(own_token(app), event=name, properties=order))

    orders = WsgiClient(headers={"Authorization": f"Bearer {app.server.key}"}).get(
        f"/api/customers/{record_of(app.account(VICTIM))}/orders/"
    )
    assert [(order["number"], order["total"]) for order in orders.json()["results"]] == [
        ("A-1", "10.00")
    ]


def test_own_token_names_no_identifier_with_a_source_or_a_period_of_its_own(app):
    for number in (f"{app.source.pk}/{VICTIM}", f"user_id:{VICTIM}", f"../{VICTIM}"):
        assert_has_no_effect(app, click(app.token(number)))


def test_message_id_of_an_app_blocks_no_message_of_the_server(app):
    app.post(click(own_token(app), messageId="order-77", event="Decoy"))

    app.server.send(
        app.server.event("track", 3, VICTIM, name="Order Paid") | {"messageId": "order-77"}
    )

    assert victims_events(app)[-1] == "Order Paid"
    assert not QuarantinedItem.objects.exists()


def test_own_token_marks_no_event_as_written_by_staff(app):
    event = click(own_token(app))
    event["context"]["actor"] = "staff:sam"

    app.post(event)

    assert Event.objects.get(name="Map Opened").actor == ""


def test_own_token_puts_no_event_on_the_customer_of_a_kiosk(app):
    kiosk = SignedInApp("Kiosk", "kiosk", is_shared=True)
    kiosk.post(click(anonymousId="kiosk-1"))
    device = Identifier.objects.get(value__startswith="kiosk-1@")

    app.post(click(own_token(app), anonymousId=device.value))

    device.refresh_from_db()
    assert device.customer_id != record_of(app.account("attacker"))


def test_token_of_an_erased_account_brings_nothing_back(app):
    erase(email(BOX))
    count = Event.objects.count()

    response = app.post(
        click(app.token(VICTIM)),
        click(app.token(VICTIM), event="Order Completed", properties={"order_id": "B-1"}),
    )

    assert response.content == SUCCESS
    assert Event.objects.count() == count


def test_rejected_item_with_a_token_is_a_claim_when_it_is_replayed(app):
    app.post(click(app.token(VICTIM), type="unknown"))
    rejected = QuarantinedItem.objects.get()
    QuarantinedItem.objects.update(raw=bytes(rejected.raw).replace(b"unknown", b"track"))

    outcome = replay(item_id=rejected.pk, now=datetime.now(UTC))

    assert outcome.status == "accepted"
    assert "Map Opened" not in victims_events(app)
    assert Event.objects.get(name="Map Opened").evidence == CLAIMED


def test_session_ends_with_its_login(app):
    victim = SignedIn(BOX)
    sign_in.end_sessions(User.objects.get())

    assert_has_no_effect(
        app, click(), headers={"X-Session-Token": victim.token}, code="session_ended"
    )
