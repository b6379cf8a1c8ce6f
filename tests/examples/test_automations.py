"""All texts of the park in each language, for known customers and for unknown ones."""

import re
from pathlib import Path

import msgspec
import pytest

from butler.automations import loader, sample_customers
from butler.automations.validation.file import validate_file
from butler.automations.validation.problems import AllowedReferences
from butler.document import AutomationDocument, MessageStep, steps_with_paths
from butler.messages.render import render

FOLDER = Path(__file__).parents[2] / "examples" / "themepark" / "automations"
LOADED = loader.read_folder(FOLDER)
DOCUMENTS = {
    file.content["key"]: msgspec.convert(file.content, AutomationDocument) for file in LOADED.files
}
LANGUAGES = ("en", "nl", "sv", "da")
# Common words that a text in this language contains and texts in the others do not.
COMMON_WORDS = {
    "en": r"\b(the|you|your|is|to|and|this)\b",
    "nl": r"\b(je|de|het|is|een|van|weer)\b",
    "sv": r"\b(du|din|är|dig|och|det|på|att|för|fyller)\b",
    "da": r"\b(du|din|er|dig|og|det|på|at|fylder|af)\b",
}
# Letters that only the others have, but for the names of things.
FOREIGN_LETTERS = {"en": "[åäöæø]", "nl": "[åäöæø]", "sv": "[æø]", "da": "[äö]"}

MESSAGES = [
    pytest.param(document, path, language, id=f"{key}-{path}-{language}")
    for key, document in DOCUMENTS.items()
    for path, step in steps_with_paths(document.steps)
    if isinstance(step, MessageStep)
    for language in LANGUAGES
]


def test_example_has_the_expected_automations():
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


def test_example_automations_are_valid():
    allowed = AllowedReferences(
        {purpose.key: purpose.kind for purpose in LOADED.purposes},
        {topic.key for topic in LOADED.topics},
        {"inbox", "email", "sms", "phone"},
    )

    faults = [
        fault
        for file in LOADED.files
        for fault in validate_file(file.name, file.content, allowed)[1]
    ]

    assert faults == []


@pytest.mark.parametrize("person", [sample_customers.full, sample_customers.sparse])
@pytest.mark.parametrize(("document", "path", "language"), MESSAGES)
def test_every_text_renders_in_its_language(document, path, language, person):
    context = person(document)

    for channel in ("inbox", "email", "sms"):
        message = render(document, path, channel, context, sample_customers.LINKS, language)

        full_text = f"{message.subject}\n{message.text}"
        assert message.language == language
        assert not re.search(r"[{}]|%}|\[\[|None|undefined| ,| \.|\.\.| {2}\S", full_text), (
            full_text
        )
        # The text ends before the separator; the footer follows.
        body = full_text.split("\n-- \n")[0].lower()
        assert re.search(COMMON_WORDS[language], body), full_text
        assert not re.search(FOREIGN_LETTERS[language], body), full_text
        assert not re.search("{{|{%", message.html)
    assert len(message.text) <= 480 + 160


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_of_two_languages_differ(language):
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
def test_notices_are_in_their_language(language):
    assert {purpose.key for purpose in LOADED.purposes} >= {
        "offers",
        "birthdays",
        "combine_app_and_store",
        "personalise",
    }
    notice_texts = {notice.purpose: notice.texts for notice in LOADED.notices}
    for purpose in LOADED.purposes:
        assert purpose.texts[language]["name"]
        assert purpose.texts[language]["description"]
        assert re.search(COMMON_WORDS[language], notice_texts[purpose.key][language].lower())
        assert not re.search(FOREIGN_LETTERS[language], notice_texts[purpose.key][language].lower())
    for topic in LOADED.topics:
        assert topic.texts[language]["name"]


@pytest.mark.parametrize(
    ("key", "language", "expected_text"),
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
def test_message_text_contains_the_expected_sentence(key, language, expected_text):
    document = DOCUMENTS[key]

    assert (
        expected_text
        in render(
            document,
            "0",
            "inbox",
            sample_customers.full(document),
            sample_customers.LINKS,
            language,
        ).text
    )


def test_texts_have_no_exclamation_mark_and_no_signature():
    for document in DOCUMENTS.values():
        for _, step in steps_with_paths(document.steps):
            if isinstance(step, MessageStep):
                text_of_step = " ".join(
                    f"{text.subject} {text.text} {text.short}" for text in step.texts.values()
                )
                assert "!" not in text_of_step
                assert not re.search(
                    r"\b(Sam|Iris|Lin)\b|regards|groet|hälsningar|hilsen,", text_of_step
                )
