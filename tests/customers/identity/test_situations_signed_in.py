"""Situations of an app whose customers are signed in, through the wire."""

import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Q

from customers.actions.own_accounts import choose_account
from customers.db.sessions import SessionStore
from customers.identity.merge_reasons import merge_reasons
from customers.models import Identifier, Link, Merge, User
from customers.types import CLAIMED, NOTED, STATED
from tests.customers.identity.company import (
    START,
    WireSource,
    are_one,
    email,
    record_of,
    timeline,
)
from tests.customers.identity.signed_in import SignedIn
from tests.customers.identity.signed_in_app import SignedInApp, click
from tests.customers.identity.test_address_periods import proves, take_off

pytestmark = pytest.mark.django_db

BOX = "noor@example.com"
BROWSER = ("anonymous_id", "browser-1")


def record_of_device(value):
    return Identifier.objects.get(kind="anonymous_id", value=value).customer_id


def names_on(app, record):
    return timeline(app.server, record)


def evidence_of_devices():
    links = Link.objects.filter(second__kind="anonymous_id") | Link.objects.filter(
        first__kind="anonymous_id"
    )
    return set(links.values_list("evidence", flat=True))


@pytest.fixture
def app():
    return SignedInApp()


def test_anonymous_activity_of_the_device_joins_when_she_signs_in(app):
    app.server.identify(1, "42", email=BOX)
    app.post(click(event="Home Opened"))

    app.post(click(app.token("42")))

    assert names_on(app, record_of(app.account("42"))) == ["identify", "Home Opened", "Map Opened"]
    assert evidence_of_devices() == {STATED}


def test_anonymous_activity_of_the_device_joins_by_a_session(app):
    app.post(click(event="Home Opened"))
    noor = SignedIn(BOX)

    app.post(click(), headers={"X-Session-Token": noor.token})

    assert sorted(noor.timeline()) == ["Address Proved", "Home Opened", "Map Opened"]


@pytest.mark.parametrize("way", ["session", "identity token"])
def test_reason_of_the_join_is_the_anonymous_visit(app, way):
    app.post(click(event="Home Opened"))
    noor = SignedIn(BOX)

    if way == "session":
        app.post(click(), headers={"X-Session-Token": noor.token})
    else:
        app.post(click(app.token("42")))

    (reason,) = merge_reasons(Merge.objects.values_list("pk", flat=True)).values()
    assert reason == ("claim", "")


def test_activity_of_the_device_after_signing_out_is_hers_too(app):
    app.post(click(app.token("42")))

    app.post(click(event="Home Opened"))

    assert names_on(app, record_of(app.account("42"))) == ["Map Opened", "Home Opened"]


def test_anonymous_activity_of_a_device_with_two_accounts_is_on_neither(app):
    app.post(click(event="Home Opened"))
    app.post(click(app.token("42")))

    app.post(click(app.token("7")))

    assert names_on(app, record_of(app.account("42"))) == ["Map Opened"]
    assert names_on(app, record_of(app.account("7"))) == ["Map Opened"]
    assert Identifier.objects.get(kind="anonymous_id").is_shared


def test_anonymous_activity_of_a_shared_source_stays_apart():
    kiosk = SignedInApp("Kiosk", "kiosk", is_shared=True)
    kiosk.post(click(event="Home Opened"))

    kiosk.post(click(kiosk.token("42")))

    assert names_on(kiosk, record_of(kiosk.account("42"))) == ["Map Opened"]
    assert evidence_of_devices() == {NOTED}


def test_device_of_a_desk_stays_apart():
    desk = SignedInApp("Desk", "desk")
    desk.post(click(event="Home Opened"))

    desk.post(click(desk.token("42")))

    assert names_on(desk, record_of(desk.account("42"))) == ["Map Opened"]


def test_claim_of_an_account_joins_no_device(app):
    app.server.identify(1, "42", email=BOX)

    app.post(click(userId="42"))

    assert record_of_device("browser-1") != record_of(app.account("42"))
    assert evidence_of_devices() == {CLAIMED}


def test_contract_of_a_customer_with_several_has_its_activity():
    app = SignedInApp("Energy", ids="contracts", per_person="several")
    app.server.identify(1, "C-1", email=BOX)
    app.server.identify(2, "C-2", email=BOX)

    app.post(click(app.token("C-2")))

    assert are_one(app.account("C-1"), app.account("C-2"), email(BOX))
    assert names_on(app, record_of(email(BOX)))[-1] == "Map Opened"


def test_account_of_the_app_is_the_one_of_the_shop_in_its_space(app):
    shop = WireSource("Shop", "site", ids="app")
    shop.identify(1, "42", email=BOX)

    app.post(click(app.token("42")))

    assert are_one(app.account("42"), shop.account("42"), email(BOX))


def test_placeholder_account_does_not_collect_the_events_of_devices(app):
    for number in range(7):
        app.server.identify(number, "shared", email=f"person-{number}@mail.nl")

    app.post(click(app.token("shared")))

    assert record_of_device("browser-1") != record_of(app.account("shared"))


def test_account_first_named_by_a_token_counts_as_stated(app):
    app.post(click(app.token("42"), anonymousId=None))

    account = Identifier.objects.get(kind="user_id")
    assert (account.evidence, account.best_evidence) == (2, STATED)


def test_session_speaks_for_a_mailbox_that_a_stranger_stated_and_lost(app):
    noor = SignedIn(BOX)
    app.server.identify(1, "typo", email=BOX)
    take_off(app.account("typo"))
    assert Identifier.objects.filter(kind="email", period=1).exists()

    app.post(click(), headers={"X-Session-Token": noor.token})

    assert noor.timeline() == ["Address Proved", "Map Opened"]


def test_session_speaks_for_nobody_when_staff_took_her_proved_mailbox_off(app):
    noor = SignedIn(BOX)
    app.server.identify(1, "42", email=BOX)
    proves(app.account("42"), 2)
    take_off(app.account("42"))

    app.post(click(), headers={"X-Session-Token": noor.token})

    assert "Map Opened" not in names_on(app, record_of(app.account("42")))
    assert evidence_of_devices() == set()


def test_backdated_event_of_the_next_holder_is_not_on_the_record_of_the_first(app):
    app.server.identify(1, "first", email=BOX)
    proves(app.account("first"), 2)
    take_off(app.account("first"))
    second = SignedIn(BOX)
    before_the_end = (START + timedelta(hours=5)).isoformat()

    app.post(click(timestamp=before_the_end), headers={"X-Session-Token": second.token})

    assert second.timeline() == ["Address Proved", "Map Opened"]
    assert names_on(app, record_of(app.account("first"))) == ["identify", "identify"]


@pytest.fixture
def family(app):
    """Sign in with a mailbox that two accounts proved; return the session."""
    for hour, number in enumerate(("noor", "sam")):
        app.server.track(1, number)
        proves(app.account(number), 2 + hour)
    return SignedIn(BOX)


def choose(signed_in, identifier):
    """Choose an account in the session of the customer."""
    kind, value = identifier
    store = SessionStore(signed_in.token)
    account = Identifier.objects.get(kind=kind, value=value)
    choose_account(User.objects.get(), store, account.pk)
    store.save()
    return account


def test_session_speaks_for_the_account_that_the_customer_chose(app, family):
    choose(family, app.account("sam"))

    app.post(click(), headers={"X-Session-Token": family.token})

    assert names_on(app, record_of(app.account("sam")))[-1] == "Map Opened"
    assert "Map Opened" not in names_on(app, record_of(email(BOX)))


def test_session_with_several_accounts_and_no_choice_speaks_for_its_mailbox(app, family):
    app.post(click(), headers={"X-Session-Token": family.token})

    assert "Map Opened" in names_on(app, record_of(email(BOX)))
    assert "Map Opened" not in names_on(app, record_of(app.account("sam")))


def test_session_speaks_for_its_mailbox_when_it_opens_the_chosen_account_no_longer(app, family):
    account = choose(family, app.account("sam"))
    Link.objects.filter(Q(first=account) | Q(second=account)).delete()

    app.post(click(), headers={"X-Session-Token": family.token})

    assert "Map Opened" in names_on(app, record_of(email(BOX)))
    assert "Map Opened" not in names_on(app, record_of(app.account("sam")))


# The log says all that a token proved ---------------------------------------------------


def rebuild(*options):
    out = StringIO()
    try:
        call_command("rebuild", *options, stdout=out, stderr=out)
    except CommandError as error:
        return [*out.getvalue().splitlines(), str(error)]
    return out.getvalue().splitlines()


def history(app):
    """Signed-in events of many kinds, with claims, two accounts, and a device of both."""
    noor = SignedIn(BOX)
    app.server.identify(1, "42", email="sam@mail.nl")
    app.post(click(event="Home Opened"), click(anonymousId="tablet"))
    app.post(
        click(app.token("42"), type="identify", userId="7", traits={"name": "Sam", "email": BOX}),
        click(app.token("42"), event="Order Completed", properties={"order_id": "A-1"}),
        click(app.token("42"), anonymousId="tablet"),
        click(app.token("7"), anonymousId="tablet"),
        click("undefined", anonymousId="phone"),
        click(app.token("43"), type="alias", previousId="old-browser", anonymousId="new-browser"),
    )
    app.post(click(userId="42"), headers={"X-Session-Token": noor.token})


def links():
    names = ("first", "second", "kind", "evidence", "source", "state", "occurred_at", "arrival")
    return set(Link.objects.values_list(*names))


def test_rebuilt_records_equal_the_live_ones(app):
    history(app)

    lines = rebuild("--check")

    assert "differ" not in lines[-1] or " 0 " in lines[-1], lines


def test_links_that_tokens_proved_are_drawn_again_from_the_log(app):
    history(app)
    before, records = links(), set(Identifier.objects.values_list("id", "customer_id"))
    assert {link[3] for link in before} >= {CLAIMED, STATED}

    Link.objects.all().delete()
    rebuild("--identities")

    assert links() == before
    assert set(Identifier.objects.values_list("id", "customer_id")) == records


def test_order_of_arrival_does_not_matter(app):
    other = SignedInApp("Other")
    events = [click(event="Home Opened"), click(True), click(True, event="Ride Liked")]
    for place, event in enumerate(events):
        event["timestamp"] = f"2026-11-20T10:0{place}:00Z"

    for target, order in ((app, events), (other, reversed(events))):
        for event in order:
            device = {"anonymousId": f"device of {target.source.name}"}
            named = event | device | {"messageId": str(uuid.uuid4())}
            if "context" in named:
                named["context"] = {"identityToken": target.token("n")}
            target.post(named)

    assert sorted(names_on(app, record_of(app.account("n")))) == sorted(
        names_on(other, record_of(other.account("n")))
    )
