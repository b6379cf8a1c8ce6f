import re

import pytest

from butler.decisions.reasons.catalog import LANGUAGES, REASONS, sentence, setting_of

PLACES = {"purpose", "topic", "channel", "until", "automation"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_has_exactly_one_sentence_for_every_reason(language):
    assert set(LANGUAGES[language].sentences) == set(REASONS)


@pytest.mark.parametrize("code", REASONS)
def test_sentences_of_a_code_have_the_same_placeholders_in_all_languages(code):
    named = {
        language: set(re.findall(r"\{(\w*)\}", spoken.sentences[code]))
        for language, spoken in LANGUAGES.items()
    }

    assert len(set(map(frozenset, named.values()))) == 1, named
    assert named["en"] <= PLACES


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_whole_differ_from_each_other_and_from_english(language):
    sentences = LANGUAGES[language].sentences

    assert all(re.fullmatch(r"[A-Z].*[^ ]\.", text) for text in sentences.values())
    assert len(set(sentences.values())) == len(sentences)
    if language != "en":
        assert not set(sentences.values()) & set(LANGUAGES["en"].sentences.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", REASONS)
def test_sentence_without_facts_has_no_empty_placeholder(language, code):
    text = sentence(code, language)

    assert "{" not in text
    assert "  " not in text


@pytest.mark.parametrize(
    ("code", "language", "facts", "expected"),
    [
        (
            "consent_withdrawn",
            "en",
            {"purpose": "Offers"},
            "You withdrew your consent to “Offers”.",
        ),
        (
            "consent_withdrawn",
            "nl-NL",
            {"purpose": "Aanbiedingen"},
            "Je trok je toestemming voor “Aanbiedingen” in.",
        ),
        ("channel_off", "sv", {"channel": "email"}, "Du har stängt av meddelanden via e-post."),
        ("sent", "da", {"channel": "inbox"}, "Vi sendte det via din indbakke."),
        (
            "quiet_hours",
            "en",
            {"until": "8:00"},
            "These are your quiet hours; we wait until 8:00.",
        ),
        ("quiet_hours", "nl", {}, "Dit zijn je stille uren; we wachten tot later."),
        # A language that is not spoken, a channel and a code that are not known.
        ("no_consent", "fi", {}, "You have not said yes to this purpose."),
        ("sent", "en", {"channel": "pigeon"}, "We sent this through pigeon."),
        (
            "from_the_future",
            "en",
            {},
            "We could not read a part of your record, so we sent no message.",
        ),
        ("sent", "", {}, "We sent this through this channel."),
    ],
)
def test_sentence_contains_its_facts(code, language, facts, expected):
    assert sentence(code, language, facts) == expected


def test_placeholder_inside_a_fact_is_not_replaced():
    hostile = "{until} {0.__class__} %s"

    assert (
        sentence("no_consent", "en", {"purpose": hostile})
        == f"You have not said yes to “{hostile}”."
    )


@pytest.mark.parametrize(
    ("code", "purpose", "setting"),
    [
        ("consent_withdrawn", "offers", "consent:offers"),
        ("consent_withdrawn", "", "consent"),
        ("quiet_hours", "offers", "quiet_hours"),
        ("topic_off", "", "channels"),
        ("person_first", "", "person_first"),
        ("paused", "", "pause"),
        ("only_when_asked", "", "only_when_i_ask"),
        ("budget_used", "", "budget"),
        ("address_bounced", "", "address"),
        ("company_budget", "", ""),
        ("from_the_future", "offers", ""),
    ],
)
def test_reason_has_the_anchor_of_its_setting(code, purpose, setting):
    assert setting_of(code, purpose) == setting


def test_a_reason_is_of_the_layer_that_gives_it():
    assert REASONS["consent_withdrawn"].layer == "basis"
    assert REASONS["pause_switch"].layer == "company"
    assert REASONS["sent"].layer is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("stored", "code"),
    [
        ("halted", "pause_switch"),
        ("unknown_halted", "unknown_pause_switches"),
        ("unknown_control", "unknown_consent_state"),
        ("unknown_standing", "unknown_record_status"),
    ],
)
def test_code_that_was_renamed_has_the_sentence_of_the_new_code(stored, code, language):
    assert sentence(stored, language) == sentence(code, language)
    assert sentence(stored, language) != sentence("from_the_future", language)
