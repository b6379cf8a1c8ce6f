"""What the park says, as it ships: every text, in every language, to people we know and do not."""

import re
from pathlib import Path

import msgspec
import pytest

from butler.automations import loader, sample_customers, validation
from butler.automations.validation import AllowedReferences
from butler.document import Document, MessageStep, steps_with_paths
from butler.messages.render import render

FOLDER = Path(__file__).parents[2] / "examples" / "themepark" / "automations"
FOUND = loader.read_folder(FOLDER)
DOCUMENTS = {
    file.content["key"]: msgspec.convert(file.content, Document) for file in FOUND.documents
}
LANGUAGES = ("en", "nl", "sv", "da")
# Small words that a text of this language has, and one of the others cannot do without.
TELLING = {
    "en": r"\b(the|you|your|is|to|and|this)\b",
    "nl": r"\b(je|de|het|is|een|van|weer)\b",
    "sv": r"\b(du|din|är|dig|och|det|på|att|för|fyller)\b",
    "da": r"\b(du|din|er|dig|og|det|på|at|fylder|af)\b",
}
# Letters that only the others have, but for the names of things.
FOREIGN = {"en": "[åäöæø]", "nl": "[åäöæø]", "sv": "[æø]", "da": "[äö]"}

MESSAGES = [
    pytest.param(document, path, language, id=f"{key}-{path}-{language}")
    for key, document in DOCUMENTS.items()
    for path, step in steps_with_paths(document.steps)
    if isinstance(step, MessageStep)
    for language in LANGUAGES
]


def test_the_park_ships_what_the_issue_asks_for():
    assert set(DOCUMENTS) >= {
        "receipt",
        "order-amended",
        "order-line-cancelled",
        "order-cancelled",
        "visit-reminder",
        "ride-down",
        "ride-reopened",
        "birthday",
        "abandoned-cart",
        "offer",
        "callback",
        "table-late",
        "table-ready",
    }
    kinds = {document.trigger.__struct_config__.tag for document in DOCUMENTS.values()}
    assert kinds == {"event", "absence", "date", "schedule", "topic"}


def test_nothing_is_wrong_with_what_ships():
    allowed = AllowedReferences(
        {purpose.key: purpose.kind for purpose in FOUND.purposes},
        {topic.key for topic in FOUND.topics},
        {"inbox", "email", "sms", "phone"},
    )

    faults = [
        f for file in FOUND.documents for f in validation.check(file.name, file.content, allowed)[1]
    ]

    assert faults == []


@pytest.mark.parametrize("person", [sample_customers.full, sample_customers.sparse])
@pytest.mark.parametrize(("document", "path", "language"), MESSAGES)
def test_every_text_can_be_said_in_its_language(document, path, language, person):
    context = person(document)

    for channel in ("inbox", "email", "sms"):
        words = render(document, path, channel, context, sample_customers.LINKS, language)

        said = f"{words.subject}\n{words.text}"
        assert words.language == language
        assert not re.search(r"[{}]|%}|\[\[|None|undefined| ,| \.|\.\.| {2}\S", said), said
        # What is up to the next empty line is this text; the frame comes after.
        body = said.split("\n-- \n")[0].lower()
        assert re.search(TELLING[language], body), said
        assert not re.search(FOREIGN[language], body), said
        assert not re.search("{{|{%", words.html)
    assert len(words.text) <= 480 + 160


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_languages_say_the_same(language):
    for document in DOCUMENTS.values():
        for _, step in steps_with_paths(document.steps):
            if isinstance(step, MessageStep):
                own = step.texts[language]
                for other in set(LANGUAGES) - {language}:
                    assert own.text != step.texts[other].text
                    assert bool(own.path) == bool(step.texts[other].path)
                    assert bool(own.short) == bool(step.texts[other].short)
        assert len(set(document.name.values())) == 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_guests_are_asked_for_is_asked_in_their_language(language):
    assert {purpose.key for purpose in FOUND.purposes} >= {
        "offers",
        "birthdays",
        "combine_app_and_store",
        "personalise",
    }
    asked = {notice.purpose: notice.texts for notice in FOUND.notices}
    for purpose in FOUND.purposes:
        assert purpose.texts[language]["name"]
        assert purpose.texts[language]["description"]
        assert re.search(TELLING[language], asked[purpose.key][language].lower())
        assert not re.search(FOREIGN[language], asked[purpose.key][language].lower())
    for topic in FOUND.topics:
        assert topic.texts[language]["name"]


@pytest.mark.parametrize(
    ("key", "language", "words"),
    [
        (
            "visit-reminder",
            "en",
            "Noor, the day after tomorrow is the day: Sunday 18 April from 10:00.",
        ),
        ("visit-reminder", "nl", "Noor, overmorgen is het zover: zondag 18 april vanaf 10:00 uur."),
        (
            "visit-reminder",
            "sv",
            "Noor, i övermorgon är det dags: söndag 18 april från klockan 10:00.",
        ),
        (
            "visit-reminder",
            "da",
            "Noor, i overmorgen er det så vidt: søndag 18. april fra klokken 10.00.",
        ),
        ("visit-reminder", "nl", "We verwachten Noor, Sem en Mila."),
        ("receipt", "nl", "2 × Day ticket\n1 × Child ticket"),
        ("receipt", "sv", "Totalt: 134,00\xa0€"),
        ("receipt", "da", "I alt: 134,00\xa0€"),
        ("ride-down", "sv", "Night Mail är stängd för tillfället. Du behöver inte gå dit i onödan"),
        ("birthday", "nl", "Vandaag wordt Sem 9 jaar."),
        ("birthday", "da", "I dag fylder Sem 9 år."),
        ("callback", "en", "A colleague will call you on Friday 16 April around 14:00 about"),
        ("abandoned-cart", "en", "You were choosing a visit and did not finish."),
    ],
)
def test_what_is_said_reads_well(key, language, words):
    document = DOCUMENTS[key]

    assert (
        words
        in render(
            document,
            "0",
            "inbox",
            sample_customers.full(document),
            sample_customers.LINKS,
            language,
        ).text
    )


def test_nothing_is_signed_by_a_person_and_nothing_hurries():
    for document in DOCUMENTS.values():
        for _, step in steps_with_paths(document.steps):
            if isinstance(step, MessageStep):
                said = " ".join(
                    f"{text.subject} {text.text} {text.short}" for text in step.texts.values()
                )
                assert "!" not in said
                assert not re.search(r"\b(Sam|Iris|Lin)\b|regards|groet|hälsningar|hilsen,", said)
