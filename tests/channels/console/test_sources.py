"""The page of the sources shows managers the settings and the warnings of each source."""

import pytest
from django.utils import timezone

from customers.actions.sources import create_source, find_or_create_space
from customers.models import NumberingQuestion, SourceWarning
from tests import staff
from tests.channels.console.acting import page_of
from tests.markup import tidy
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client):
    return staff.let_in(client, staff.colleague("manager"))


def source(name, channel="app", space="main", **fields):
    created, _ = create_source(
        name=name,
        channel=channel,
        is_secret=True,
        space=find_or_create_space(space),
        **fields,
    )
    return created


def test_page_shows_spaces_addresses_and_the_sources_that_share_numbers(manager):
    source("App", space="account", addresses="checked")
    source("Site", channel="site", space="account")
    source("Till", channel="store", is_shared=True)

    page = tidy(page_of(manager, "sources/"))

    assert "shared with Site" in page
    assert "shared with App" in page
    assert "shared with no other source" in page
    assert "confirmed: customers who sign in with one see everything" in page
    assert "stated: customers confirm an address with a code" in page
    assert "noted for staff" in page
    assert page.count("no request with a key yet") == 3


def test_page_shows_recent_warnings_with_an_example_that_is_never_executed(manager):
    app = source("App")
    today = timezone.localdate()
    for code, count in (("non_identifier", 12), ("identifier_dropped", 3), ("a_later_code", 4)):
        SourceWarning.objects.create(
            source=app, day=today, code=code, count=count, example="<b>m-1</b>"
        )

    page = tidy(page_of(manager, "sources/"))

    assert "12</span>values that identify nobody" in page
    assert "3</span>addresses, numbers or cards that Butler cannot read" in page
    assert "4</span>a_later_code" in page
    assert "<code>&lt;b&gt;m-1&lt;/b&gt;</code>" in page


def test_page_asks_for_a_new_key_after_a_secret_key_in_an_address(manager):
    _, key = create_source(name="Till", channel="store", is_secret=True)
    WsgiClient().post(f"/v1/batch?writeKey={key}", b"{}", "application/json")

    page = tidy(page_of(manager, "sources/"))

    assert "1</span>requests had the secret key in their address" in page
    assert "make a new key, and revoke this one" in page
    assert key not in page


def test_page_suggests_the_known_name_of_a_similar_event(manager):
    SourceWarning.objects.create(
        source=source("App"),
        day=timezone.localdate(),
        code="similar_name:Order Completed",
        count=7,
        example="Order <Complete>",
    )

    page = tidy(page_of(manager, "sources/"))

    assert "7</span>Order &lt;Complete&gt;: did you mean Order Completed?" in page
    assert "for example in the message" not in page


def test_long_list_of_sharing_sources_is_shortened(manager):
    for number in range(13):
        source(f"Till {number:02}", channel="store", space="tills")

    page = tidy(page_of(manager, "sources/"))

    assert "Till 09, Till 10 and 2 more" in page


def test_page_without_sources_says_how_to_make_one(manager):
    assert "The command create_source makes one." in tidy(page_of(manager, "sources/"))


def test_page_takes_a_constant_number_of_statements(manager, django_assert_max_num_queries):
    for number in range(12):
        source(f"Till {number}", channel="store", space=f"space {number}")
    manager.get("/console/sources/")

    with django_assert_max_num_queries(13):
        manager.get("/console/sources/")


@pytest.fixture
def question():
    return NumberingQuestion.objects.create(
        space_id=1, first=source("App"), second=source("Shop"), shared_mailboxes=80_000
    )


def answer(client, question, **fields):
    path = f"/console/sources/questions/{question.pk}/"
    response = client.post(path, {"reason": "own database"} | fields, follow=True)
    question.refresh_from_db()
    return tidy(response.content.decode())


def test_page_asks_whether_two_sources_number_separately(manager, question):
    page = tidy(page_of(manager, "sources/"))

    assert "<bdi>App</bdi>and<bdi>Shop</bdi>number customers separately?" in page
    assert "80000 e-mail addresses with different numbers" in page


def test_number_separately_moves_the_chosen_source(manager, question):
    page = answer(manager, question, answer="separate", source=question.second_id)

    assert "The source Shop has the space Shop now." in page
    assert "Butler groups the customers until now again" in page
    assert '<bdi>Shop</bdi></strong><span class="muted small">to the space Shop' in page
    assert "number customers separately?" not in page
    assert (question.answer, question.reason) == ("separate", "own database")
    assert question.answered_by.startswith("staff:")


def test_same_customers_closes_the_question(manager, question):
    page = answer(manager, question, answer="same")

    assert "Both sources stay in one space." in page
    assert "number customers separately?" not in page
    assert "already answered" in answer(manager, question, answer="same")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"answer": "same", "reason": ""}, "The reason is missing."),
        ({"answer": "later"}, "The answer is missing."),
        ({"answer": "separate"}, "The source is missing."),
    ],
)
def test_incomplete_answer_changes_nothing(manager, question, fields, text):
    assert text in answer(manager, question, **fields)
    assert question.answer == ""
