"""Staff and keys read and answer the questions about the numbers of two sources."""

import pytest

from customers.models import NumberingQuestion
from tests import factories

PATH = "/api/numbering-questions/"
REASON = {"reason": "the shop has its own database"}


@pytest.fixture
def question(db):
    return NumberingQuestion.objects.create(
        space_id=1, first=factories.source("App"), second=factories.source("Shop"), equal_numbers=5
    )


def send_answer(caller, question, **body):
    return caller.post(f"{PATH}{question.pk}/answer/", REASON | body)


def test_list_has_questions_with_enough_cases(lin, question):
    NumberingQuestion.objects.create(
        space_id=1, first=question.first, second=factories.source(), shared_mailboxes=4
    )

    (row,) = lin.get(PATH).json()["results"]

    assert [source["name"] for source in row["sources"]] == ["App", "Shop"]
    assert (row["space"], row["equal_numbers"], row["answer"]) == ("main", 5, "")
    assert lin.get(PATH, {"status": "answered"}).json()["results"] == []
    assert lin.get(PATH, {"status": "closed"}).status_code == 400


def test_separate_moves_a_source_and_answers_the_question(lin, question):
    response = send_answer(lin, question, answer="separate", source=question.second_id)

    assert response.status_code == 200
    assert (response.json()["answer"], response.json()["moved"]) == ("separate", "Shop")
    assert response.json()["answered_by"] == "staff:lin"
    question.second.refresh_from_db()
    assert question.second.space.name == "Shop"
    assert lin.get(PATH, {"status": "open"}).json()["results"] == []


def test_same_keeps_the_space_and_a_second_answer_is_a_conflict(lin, question):
    assert send_answer(lin, question, answer="same").json()["answer"] == "same"

    again = send_answer(lin, question, answer="same")

    assert (again.status_code, again.json()["type"]) == (409, "urn:butler:problem:answered")


def test_separate_names_one_of_the_two_sources(lin, question):
    other = factories.source()

    response = send_answer(lin, question, answer="separate", source=other.pk)

    assert response.status_code == 409
    assert response.json()["type"] == "urn:butler:problem:other-source"


def test_answer_needs_a_reason(lin, question):
    assert send_answer(lin, question, answer="same", reason=" ").status_code == 422


def test_unknown_question_is_not_found(lin, db):
    response = lin.post(f"{PATH}999999/answer/", REASON | {"answer": "same"})

    assert response.status_code == 404
