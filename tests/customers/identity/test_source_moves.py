"""The answer "Move to own space" groups the customers of the source again, without a shell."""

from datetime import timedelta

import pytest
from django.utils import timezone

from butler.actions.due_jobs import register
from butler.due import tick
from customers.actions import source_moves
from customers.actions.sources import find_or_create_space, move_source
from customers.identity import rebuilding
from customers.models import Identifier, Link, NumberingQuestion
from tests import staff
from tests.channels.console.acting import page_of
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import WireSource, are_one, email
from tests.customers.identity.test_numbering_questions import share_mailboxes
from tests.factories import NOON
from tests.markup import tidy

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client):
    return staff.let_in(client, staff.colleague("manager"))


def company(count=6):
    """Make two sources of `main` that share mailboxes."""
    app, shop = WireSource("App"), WireSource("Shop")
    share_mailboxes(app, shop, count)
    return app, shop


def move(source, space="shop"):
    move_source(source=source.source, space=find_or_create_space(space), now=NOON)
    return source_moves.start_move(source.source)


def joined(app, shop, count=6):
    return [are_one(app.account(f"a{n}"), shop.account(f"s{n}")) for n in range(count)]


def test_answer_in_the_console_joins_the_customers_until_now(manager):
    app, shop = company()
    question = NumberingQuestion.objects.get()
    manager.post(
        f"/console/sources/questions/{question.pk}/",
        {"answer": "separate", "source": shop.source.pk, "reason": "two systems"},
    )
    assert "0 %" in tidy(page_of(manager, "sources/"))
    assert not any(joined(app, shop))

    register()
    tick.tick(now=timezone.now())

    assert all(joined(app, shop))
    assert are_one(app.account("a1"), email("1@example.com"))
    page = tidy(page_of(manager, "sources/"))
    assert "Done" in page
    assert "Numbers grouped again: 6. Records that were split: 0. Records that joined: 6." in page


def test_each_batch_resumes_behind_the_batch_before():
    app, shop = company()
    moved = move(shop)

    progress = []
    while source_moves.group_next_batch(now=NOON, batch=4):
        moved.refresh_from_db()
        progress.append((moved.grouped_numbers, sum(joined(app, shop)), bool(moved.finished_at)))

    assert progress == [(4, 4, False), (6, 6, True)]
    assert moved.percent == 100


def test_numbers_that_came_after_the_first_batch_are_not_grouped_again():
    app, shop = company()
    moved = move(shop)
    source_moves.group_next_batch(now=NOON, batch=4)

    share_mailboxes(app, shop, 5, first=20)
    while source_moves.group_next_batch(now=NOON, batch=4):
        pass

    moved.refresh_from_db()
    assert moved.grouped_numbers == 6
    assert all(joined(app, shop))
    assert are_one(app.account("a22"), shop.account("s22"))


def test_failed_batch_waits_a_minute_and_holds_up_no_other_move(manager, monkeypatch):
    app, shop = company()
    failing, other = move(shop), move(app, "app")
    group = rebuilding.rebuild_identities
    number = Identifier.objects.get(value=shop.account("s0")[1])

    def fail(numbers, **fields):
        if number.pk in numbers:
            raise ZeroDivisionError
        return group(numbers, **fields)

    monkeypatch.setattr(rebuilding, "rebuild_identities", fail)
    while source_moves.group_next_batch(now=NOON):
        pass

    for row in (failing, other):
        row.refresh_from_db()
    assert (failing.failure, failing.grouped_numbers, failing.finished_at) == (
        "ZeroDivisionError",
        0,
        None,
    )
    assert other.finished_at == NOON
    assert "The last batch failed (ZeroDivisionError)" in tidy(page_of(manager, "sources/"))

    monkeypatch.undo()
    assert source_moves.group_next_batch(now=NOON + timedelta(minutes=2))

    failing.refresh_from_db()
    assert (failing.failure, failing.percent) == ("", 100)


def group_all():
    while source_moves.group_next_batch(now=NOON):
        pass


def test_link_of_equal_numbers_is_not_contested_after_a_source_left_their_space():
    app, shop = WireSource("App", ids="account"), WireSource("Shop", ids="account")
    app.identify(1, "7", email="noor@example.com")
    shop.identify(2, "7", email="sam@example.com")
    equal = Link.objects.get(kind="equal")
    assert equal.state == "contested"

    move(shop)
    group_all()

    equal.refresh_from_db()
    assert equal.state == "filed"
    assert misplaced_identifiers() == []


def test_equal_numbers_join_again_after_the_source_came_back():
    app, shop = WireSource("App", ids="account"), WireSource("Shop", ids="account")
    app.identify(1, "7", email="noor@example.com")
    shop.track(2, "7")
    assert are_one(app.account("7"), shop.account("7"))
    move(shop)
    group_all()
    assert not are_one(app.account("7"), shop.account("7"))

    move(shop, "account")
    group_all()

    assert are_one(app.account("7"), shop.account("7"))
    assert misplaced_identifiers() == []
