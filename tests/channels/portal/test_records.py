"""The customer reads why her records are joined, and separates them."""

import pytest
from django.test import Client
from django.utils import timezone
from msgspec import structs

from customers.identity import decisions
from customers.models import Identifier, ManualDecision, Merge, User
from tests import factories

ACCOUNT, MAILBOX = ("user_id", "kim"), ("email", "kim@example.com")
REASON = "because both were given with the same e-mail address"


@pytest.fixture
def shop(db):
    return factories.sender(factories.source("shop"))


@pytest.fixture
def kim(client, shop):
    """Return the client of Kim's account, which a statement joined with a mailbox and its order."""
    account = factories.customer(ACCOUNT, by=shop, first_name="Kim")
    factories.customer(MAILBOX, by=shop)
    factories.record(factories.order("B-2", MAILBOX, total="10"), by=shop)
    factories.record(factories.identify(ACCOUNT, MAILBOX), by=shop)
    client.force_login(User.objects.create_user("kim@example.com", record=account))
    return client


def page(client: Client, language: str = "en") -> str:
    return client.get("/", headers={"Accept-Language": language}).content.decode()


def path() -> str:
    return f"/records/{Merge.objects.get().pk}/separate/"


def test_number_of_two_sources_is_listed_once(kim, shop):
    site = factories.sender(factories.source("site"))
    factories.record(factories.identify(ACCOUNT, MAILBOX), by=site)

    assert page(kim).count('<span class="muted">kim</span>') == 1
    assert Identifier.objects.filter(kind="user_id", customer__isnull=False).count() == 2


@pytest.mark.parametrize(
    ("language", "reason", "button"),
    [
        ("en", REASON, "One of these records is not mine"),
        (
            "nl",
            "omdat bij beide hetzelfde e-mailadres is opgegeven",
            "Een van deze dossiers is niet van mij",
        ),
        (
            "sv",
            "eftersom samma e-postadress har uppgetts för båda",
            "En av dessa profiler är inte min",
        ),
        (
            "da",
            "fordi den samme e-mailadresse er oplyst for begge",
            "En af disse profiler er ikke min",
        ),
    ],
)
def test_customer_reads_why_records_are_joined(kim, language, reason, button):
    home = page(kim, language)

    assert reason in home
    assert button in home
    assert f'action="{path()}"' in home


def test_timeline_shows_a_join_of_two_records_once(kim):
    assert page(kim).count("We joined two of your records") == 1


@pytest.mark.parametrize(
    ("channel", "place"), [("site", "on the website"), ("till", "at the counter")]
)
def test_timeline_names_the_place_of_each_documented_channel(kim, channel, place):
    source = factories.sender(factories.source(channel.title(), channel=channel), channel=channel)
    factories.record(factories.order("C-1", MAILBOX, total="10"), by=source)

    assert place in page(kim)


def test_separated_record_leaves_the_page_and_statements_do_not_bring_it_back(kim, shop):
    assert "B-2" in page(kim)

    answer = kim.post(path(), {"confirm": "yes"}, follow=True)
    factories.record(factories.identify(ACCOUNT, MAILBOX), by=shop)

    account, mailbox = (
        Identifier.objects.filter(kind=kind).latest("period").customer_id
        for kind in ("user_id", "email")
    )
    assert answer.redirect_chain == [("/", 302)]
    assert account != mailbox
    assert REASON not in page(kim)
    decision = ManualDecision.objects.get()
    assert (decision.kind, decision.actor) == ("separate", "customer")


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ("This leaves your page", "This stays on your page", "2 entries")),
        ("nl", ("Dit verdwijnt van je pagina", "Dit blijft op je pagina", "2 regels")),
        ("sv", ("Det här försvinner från din sida", "Det här blir kvar på din sida", "2 poster")),
        ("da", ("Dette forsvinder fra din side", "Dette bliver på din side", "2 poster")),
    ],
)
def test_separation_shows_first_what_leaves_and_what_stays(kim, language, texts):
    page = kim.post(path(), headers={"Accept-Language": language}).content.decode()

    leaves, stays = texts[:2]
    leaving, staying = page[page.index(leaves) : page.index(stays)], page[page.index(stays) :]
    assert "kim@example.com" in leaving
    assert texts[2] in leaving
    assert "kim@example.com" not in staying
    assert ">kim<" in staying
    assert not ManualDecision.objects.exists()


@pytest.mark.parametrize(
    ("pair", "facts", "reason"),
    [
        ((ACCOUNT, MAILBOX), {}, "with the same e-mail address."),
        ((ACCOUNT, MAILBOX), {"email_verified": True}, "with the same e-mail address: k…@example."),
        ((ACCOUNT, ("card", "C3344")), {}, "with the same card: …44."),
    ],
)
@pytest.mark.usefixtures("_development")
def test_reason_names_the_kind_of_link_and_the_other_side_only_if_it_is_confirmed(
    client, shop, pair, facts, reason
):
    if pair[1][0] == "card":
        # A source that checks addresses issued the card, so its account opens it.
        shop = structs.replace(shop, addresses="checked")
    first = factories.customer(pair[0], by=shop)
    factories.record(factories.incoming_event(pair[1]), by=shop)
    factories.record(factories.identify(*pair, **facts), by=shop)
    client.force_login(User.objects.create_user("kim@example.com", record=first))

    assert f"We joined two records because both were given {reason}" in page(client)


@pytest.mark.parametrize("attached", [("card", "C3344"), ("phone", "+31612345678")])
@pytest.mark.usefixtures("_development")
def test_join_with_a_card_or_phone_that_stays_closed_is_not_shown(client, shop, attached):
    first = factories.customer(MAILBOX, by=shop)
    factories.record(factories.incoming_event(attached), by=shop)
    factories.record(factories.identify(MAILBOX, attached), by=shop)
    client.force_login(User.objects.create_user("kim@example.com", record=first))

    assert Merge.objects.count() == 1
    assert "We joined two records" not in page(client)


@pytest.mark.usefixtures("_development")
def test_card_that_moves_along_with_its_mailbox_has_a_reason(client, shop):
    shop = structs.replace(shop, addresses="checked")
    account = factories.customer(ACCOUNT, by=shop)
    factories.record(factories.incoming_event(("card", "C3344")), by=shop)
    factories.record(factories.incoming_event(MAILBOX), by=shop)
    factories.record(factories.identify(MAILBOX, ("card", "C3344")), by=shop)
    factories.record(factories.identify(ACCOUNT, MAILBOX), by=shop)
    client.force_login(User.objects.create_user("kim@example.com", record=account))

    active = Merge.objects.filter(undone_at=None)
    assert active.count() == 2
    assert all(merge.links for merge in active)
    home = page(client)
    assert "because both were given with the same card" in home
    assert REASON in home


@pytest.mark.usefixtures("_development")
def test_record_that_moves_along_with_a_decision_has_the_reason_of_its_own_link(client, shop):
    """While the record is part of another one that the customer has not proved, it has no reason."""
    shop = structs.replace(shop, addresses="checked")
    account = factories.customer(ACCOUNT, by=shop)
    other = factories.customer(("user_id", "kim-2"), by=shop)
    factories.record(factories.incoming_event(("card", "C3344")), by=shop)
    factories.record(factories.identify(("user_id", "kim-2"), ("card", "C3344")), by=shop)
    client.force_login(User.objects.create_user("kim@example.com", record=other))

    merged = decisions.merge_records(account.pk, other.pk, actor="staff:Lin", now=timezone.now())
    while_merged = page(client)
    decisions.undo_decision(decision_id=merged[0].pk, actor="staff:Lin", now=timezone.now())

    assert "We joined two records" not in while_merged
    apart = page(client)
    assert "because both were given with the same card" in apart
    assert "because a staff member" not in apart


@pytest.mark.usefixtures("_development")
def test_merge_by_staff_that_opens_nothing_is_not_shown(client, shop):
    account = factories.customer(ACCOUNT, by=shop)
    other = factories.customer(("user_id", "kim-2"), by=shop)
    decisions.merge_records(account.pk, other.pk, actor="staff:Lin", now=timezone.now())
    client.force_login(User.objects.create_user("kim@example.com", record=account))

    assert "We joined two records" not in page(client)


def test_repeated_separation_changes_nothing(kim):
    separate = path()
    kim.post(separate, {"confirm": "yes"})

    for fields in ({}, {"confirm": "yes"}):
        assert kim.post(separate, fields).status_code in (302, 404)
    assert ManualDecision.objects.count() == 1


def test_join_of_another_customer_is_not_found(kim, els):
    stranger = Client()
    stranger.force_login(User.objects.create_user("els@example.com", record=els))

    for fields in ({}, {"confirm": "yes"}):
        assert stranger.post(path(), fields).status_code == 404
    assert not ManualDecision.objects.exists()


def test_separation_needs_a_post_and_a_sign_in(kim):
    assert kim.get(path()).status_code == 405
    assert Client().post(path()).status_code == 302
    assert not ManualDecision.objects.exists()
