"""The customer reads why her records are joined, and separates them."""

import pytest
from django.test import Client

from customers.models import Identifier, ManualDecision, Merge, User
from tests import factories

ACCOUNT, MAILBOX = ("user_id", "kim"), ("email", "kim@example.com")
REASON = "because the same e-mail address or number was given for both"


@pytest.fixture
def shop(db):
    return factories.sender(factories.source("shop"))


@pytest.fixture
def kim(client, shop, _development):
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


@pytest.mark.parametrize(
    ("language", "reason", "button"),
    [
        ("en", REASON, "One of these records is not mine"),
        (
            "nl",
            "omdat hetzelfde e-mailadres of nummer bij beide",
            "Een van deze dossiers is niet van mij",
        ),
        ("sv", "eftersom samma e-postadress eller nummer", "En av dessa profiler är inte min"),
        ("da", "fordi den samme e-mailadresse eller", "En af disse profiler er ikke min"),
    ],
)
def test_customer_reads_why_records_are_joined(kim, language, reason, button):
    home = page(kim, language)

    assert reason in home
    assert button in home
    assert f'action="{path()}"' in home


def test_separated_record_leaves_the_page_and_statements_do_not_bring_it_back(kim, shop):
    assert "B-2" in page(kim)

    answer = kim.post(path(), follow=True)
    factories.record(factories.identify(ACCOUNT, MAILBOX), by=shop)

    account, mailbox = (
        Identifier.objects.get(kind=kind).customer_id for kind in ("user_id", "email")
    )
    assert answer.redirect_chain == [("/", 302)]
    assert account != mailbox
    assert REASON not in page(kim)
    decision = ManualDecision.objects.get()
    assert (decision.kind, decision.actor) == ("separate", "customer")


def test_repeated_separation_changes_nothing(kim):
    separate = path()
    kim.post(separate)

    assert kim.post(separate).status_code in (302, 404)
    assert ManualDecision.objects.count() == 1


def test_join_of_another_customer_is_not_found(kim, els):
    stranger = Client()
    stranger.force_login(User.objects.create_user("els@example.com", record=els))

    assert stranger.post(path()).status_code == 404
    assert not ManualDecision.objects.exists()


def test_separation_needs_a_post_and_a_sign_in(kim):
    assert kim.get(path()).status_code == 405
    assert Client().post(path()).status_code == 302
    assert not ManualDecision.objects.exists()
