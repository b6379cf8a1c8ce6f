"""Two sources of one space that number customers separately raise one question, however often."""

from io import StringIO

import pytest
from django.core.management import call_command

from customers.actions import numbering
from customers.models import NumberingQuestion, Source
from customers.queries.numbering import open_questions
from tests.customers.identity.company import WireSource, are_one, email
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def pair(ids="main", **fields):
    """Make an app and a shop in one space."""
    return WireSource("App", ids=ids, **fields), WireSource("Shop", ids=ids, **fields)


def share_mailboxes(app, shop, count, first=0):
    """Let both sources name the same mailboxes, each with numbers of its own."""
    numbers = range(first, first + count)
    app.send(
        *(app.event("identify", 1, f"a{n}", traits={"email": f"{n}@example.com"}) for n in numbers)
    )
    shop.send(
        *(shop.event("identify", 2, f"s{n}", traits={"email": f"{n}@example.com"}) for n in numbers)
    )


def counts():
    return [
        (question.first.name, question.second.name, *counts_of(question))
        for question in NumberingQuestion.objects.order_by("pk")
    ]


def counts_of(question):
    return question.shared_mailboxes, question.equal_numbers


def answer(how, **fields):
    question = NumberingQuestion.objects.get()
    return how(question_id=question.pk, reason="two systems", actor="staff:lin", now=NOON, **fields)


@pytest.mark.parametrize("ids", ["main", "account"])
def test_mailboxes_with_two_numbers_are_one_question(ids):
    app, shop = pair(ids)

    share_mailboxes(app, shop, 7)

    assert counts() == [("App", "Shop", 7, 0)]
    assert [question.cases for question in open_questions()] == [7]


def test_equal_numbers_of_two_shops_in_main_are_one_question():
    app, shop = pair()
    for number in range(1, 6):
        app.identify(1, f"{number}", email=f"a{number}@example.com")
        shop.identify(2, f"{number}", email=f"s{number}@example.com")

    assert counts() == [("App", "Shop", 0, 5)]
    assert not are_one(app.account("1"), shop.account("1"))


def test_fewer_than_five_cases_ask_nobody():
    app, shop = pair()
    share_mailboxes(app, shop, 4)
    assert not open_questions()

    share_mailboxes(app, shop, 1, first=4)

    assert len(open_questions()) == 1


def test_repeated_statements_are_one_case():
    app, shop = pair()
    share_mailboxes(app, shop, 2)
    share_mailboxes(app, shop, 2)

    assert counts() == [("App", "Shop", 2, 0)]


def test_two_accounts_of_one_source_with_a_mailbox_are_no_case():
    app, _ = pair()
    for number in range(6):
        app.identify(number, f"a{number}", email="family@example.com")

    assert counts() == []


def test_second_login_of_a_customer_of_both_sources_is_no_case():
    app, shop = pair("account")
    app.identify(1, "noor", email="noor@example.com")
    shop.identify(2, "noor", email="noor@example.com")

    app.identify(3, "noor-2", email="noor@example.com")

    assert counts() == []


def test_sources_with_spaces_of_their_own_are_no_case():
    app, shop = WireSource("App", ids="app"), WireSource("Shop", ids="shop")

    share_mailboxes(app, shop, 6)

    assert counts() == []
    assert are_one(app.account("a1"), shop.account("s1"), email("1@example.com"))


def test_till_only_notes_so_it_raises_no_question():
    app, till = WireSource("App"), WireSource("Till", "till")

    share_mailboxes(app, till, 6)

    assert counts() == []


def test_import_with_many_shared_mailboxes_is_one_question():
    shop = WireSource("Shop")
    old = WireSource("Old shop", "import", addresses="stated")
    share_mailboxes(shop, old, 120)

    assert counts() == [("Shop", "Old shop", 120, 0)]


def test_separate_numbers_give_one_source_a_space_of_its_own():
    app, shop = pair()
    share_mailboxes(app, shop, 5)

    question = answer(numbering.number_separately, source_id=shop.source.pk)

    assert (question.answer, question.moved, question.reason) == (
        "separate",
        shop.source,
        "two systems",
    )
    assert (question.answered_by, question.answered_at) == ("staff:lin", NOON)
    assert Source.objects.get(name="Shop").space.name == "Shop"
    assert Source.objects.get(name="App").space.name == "main"
    assert not open_questions()


def test_new_space_gets_another_name_if_its_name_is_taken():
    app, shop = pair()
    WireSource("Other", ids="shop")
    share_mailboxes(app, shop, 5)

    answer(numbering.number_separately, source_id=shop.source.pk)

    assert Source.objects.get(name="Shop").space.name == "Shop 2"


def test_statements_after_the_move_join_the_two_numbers():
    app, shop = pair()
    share_mailboxes(app, shop, 5)
    answer(numbering.number_separately, source_id=shop.source.pk)

    share_mailboxes(app, shop, 1, first=50)

    assert are_one(app.account("a50"), shop.account("s50"))


def test_same_customers_keep_the_space_and_are_not_asked_again():
    app, shop = pair("account")
    share_mailboxes(app, shop, 5)

    answer(numbering.number_together)
    share_mailboxes(app, shop, 6, first=10)

    assert not open_questions()
    assert counts() == [("App", "Shop", 5, 0)]
    assert Source.objects.get(name="Shop").space.name == "account"


def test_question_is_answered_once():
    share_mailboxes(*pair(), 5)
    answer(numbering.number_together)

    with pytest.raises(numbering.QuestionAlreadyAnswered):
        answer(numbering.number_together)


def test_only_one_of_the_two_sources_moves():
    share_mailboxes(*pair(), 5)
    other = WireSource("Other")

    with pytest.raises(numbering.OtherSource):
        answer(numbering.number_separately, source_id=other.source.pk)
    assert len(open_questions()) == 1


def test_command_regroups_the_customers_until_the_answer():
    app, shop = pair()
    share_mailboxes(app, shop, 5)
    answer(numbering.number_separately, source_id=shop.source.pk)

    call_command("move_source", "Shop", "--ids", "Shop", stdout=StringIO(), stderr=StringIO())

    assert are_one(app.account("a1"), shop.account("s1"), email("1@example.com"))
