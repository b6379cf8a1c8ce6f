"""Attacks on the link "Not mine": scanners, changed and foreign links, late and repeated use."""

import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from butler.messages import refusal_links
from butler.models import Message
from customers.models import AddressRefusal, Identifier
from tests.butler import arrange
from tests.channels.test_not_mine import (
    BOX,
    link_in,
    page_value,
    press,
    queue,
    send,
    shop_with_typo,
)
from tests.customers.identity.company import WireSource, are_one, email, record_of
from tests.customers.identity.test_silences import hours_until_now

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


@pytest.fixture
def shop() -> WireSource:
    return shop_with_typo()


@pytest.fixture
def link(shop) -> str:
    queue(record_of(shop.account("typo")))
    return link_in(send())


@pytest.mark.parametrize("method", ["get", "head"])
def test_scanner_that_follows_the_link_changes_nothing(shop, link, method):
    for _ in range(3):
        assert (
            getattr(Client(), method)(link, headers={"Sec-Purpose": "prefetch"}).status_code == 200
        )

    assert are_one(email(BOX), shop.account("typo"))
    assert AddressRefusal.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        {"sure": "yes"},
        {"List-Unsubscribe": "One-Click", "sure": "yes"},
        {"page": "x", "sure": "yes"},
        {"page": "a:b:c", "sure": "yes"},
    ],
)
def test_post_without_the_page_changes_nothing(shop, link, body):
    assert Client().post(link, body).status_code == 200

    assert are_one(email(BOX), shop.account("typo"))
    assert AddressRefusal.objects.count() == 0


def test_scanner_that_submits_the_form_leaves_the_box_empty_and_changes_nothing(shop, link):
    client = Client()

    answer = client.post(link, {"page": page_value(client, link)})

    assert answer.status_code == 422
    assert "Tick the box" in answer.content.decode()
    assert are_one(email(BOX), shop.account("typo"))
    assert AddressRefusal.objects.count() == 0


def test_page_of_another_link_does_not_count(shop, link):
    queue(record_of(shop.account("typo")))
    second = link_in(send())
    value = page_value(Client(), second)

    Client().post(link, {"page": value, "sure": "yes"})

    assert are_one(email(BOX), shop.account("typo"))


@pytest.mark.parametrize("place", range(0, 38, 5))
def test_changed_link_does_not_work(shop, link, place):
    token = link.split("/")[2]
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]

    assert press(f"/n/{changed}/") == 404
    assert are_one(email(BOX), shop.account("typo"))


@pytest.mark.parametrize("token", ["x", "x" * 38, "é" * 38, "=" * 38, "A" * 5000])
def test_made_up_link_does_not_work(db, token):
    assert Client().get(f"/n/{token}/").status_code == 404


def test_link_for_another_address_of_the_message_does_not_work(shop, link):
    message = Message.objects.get()
    foreign = urlsplit(refusal_links.url(message.pk, "victim@mail.example.org")).path
    missing = urlsplit(refusal_links.url(uuid.uuid4(), BOX)).path

    assert (press(foreign), press(missing)) == (404, 404)
    assert are_one(email(BOX), shop.account("typo"))


def test_link_of_an_address_that_is_confirmed_meanwhile_does_nothing(shop, link):
    shop.identify(hours_until_now(), "typo", email=BOX, email_verified=True)

    assert press(link) == 200
    assert are_one(email(BOX), shop.account("typo"))
    assert AddressRefusal.objects.count() == 0


def test_link_is_too_old_after_90_days_and_tells_nothing(shop, link):
    Message.objects.update(created_at=timezone.now() - timedelta(days=91))

    page = Client().get(link)

    assert page.status_code == 404
    assert BOX not in page.content.decode()
    assert press(link) == 404
    assert are_one(email(BOX), shop.account("typo"))


def test_page_names_neither_customer_nor_address_nor_order(shop, link):
    page = Client().get(link)

    assert not any(text in page.content.decode() for text in (BOX, "typo", "A-1", "Shop"))
    assert page["X-Robots-Tag"] == "noindex"
    assert "no-store" in page["Cache-Control"]
    assert "sessionid" not in page.cookies


def test_link_works_after_the_secret_key_was_replaced(shop, link, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-secret-key-of-the-installation-0001"

    assert press(link) == 200
    assert not are_one(email(BOX), shop.account("typo"))


def test_many_wrong_links_cost_one_statement_each_and_no_row(db, django_assert_max_num_queries):
    links = [urlsplit(refusal_links.url(uuid.uuid4(), BOX)).path for _ in range(20)]
    client = Client()

    with django_assert_max_num_queries(len(links)):
        assert {client.post(link, {"page": "x"}).status_code for link in links} == {404}
    assert AddressRefusal.objects.count() == 0


def test_account_of_another_customer_keeps_the_address(shop, link):
    """A stranger who states the address of a victim does not take it off the victim's account."""
    app = WireSource("App", "app", ids="app", addresses="checked")
    app.identify(hours_until_now(), "holder", email=BOX)

    press(link)

    assert Identifier.objects.filter(kind="email", value=BOX).exists()
    assert are_one(email(BOX), app.account("holder"))
