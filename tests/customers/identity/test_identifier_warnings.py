"""Warnings about identifiers that were left out."""

import pytest

from customers.identity.identifier_warnings import find_warnings
from customers.types import IngestWarning, Sender, merge_warnings
from tests.factories import incoming_event

SERVER = Sender(source_id=7, name="server", channel="app", is_trusted=True, is_secret=True)
GOOD = ("user_id", "noor-1")


def codes(*identifiers, sender=SERVER):
    event = incoming_event(*identifiers, message_id="m-1")
    return {warning.code: warning.count for warning in find_warnings([event], sender)}


@pytest.mark.parametrize(
    ("identifier", "code"),
    [
        (("user_id", "undefined"), "non_identifier"),
        (("user_id", "{{customer.id}}"), "non_identifier"),
        (("anonymous_id", "00000000-0000-0000-0000-000000000000"), "non_identifier"),
        (("external:crm", "[null]"), "non_identifier"),
        (("card", "XXXX-1111"), "non_identifier"),
        (("card", "1234567890"), "non_identifier"),
        (("phone", "0000000000"), "non_identifier"),
        (("phone", "+31 6 66666666"), "non_identifier"),
        (("email", "noreply@shop.example.org"), "non_identifier"),
        (("order", "test"), "non_identifier"),
        (("order:9", "test"), "non_identifier"),
        (("email", "noor at example"), "identifier_dropped"),
        (("email", "noor@@example.com"), "identifier_dropped"),
        (("phone", "ask Noor"), "identifier_dropped"),
        (("phone", "12"), "identifier_dropped"),
        (("user_id", "a\x07b"), "identifier_dropped"),
    ],
)
def test_value_that_is_left_out_has_one_warning(identifier, code):
    assert codes(GOOD, identifier) == {code: 1}


@pytest.mark.parametrize(
    "identifier",
    [
        ("email", "noor@example.com"),
        ("phone", "+31612345670"),
        ("card", "LK-2048-7713"),
        ("order:9", "A-1001"),
        # A blank field is no mistake.
        ("email", " "),
        ("email", "\u200b"),
        # A kind that is no identifier.
        ("external:", "7"),
    ],
)
def test_usable_and_blank_values_have_no_warning(identifier):
    assert codes(GOOD, identifier) == {}


def test_number_without_country_code_is_readable_with_the_region_of_the_source():
    dutch = Sender(source_id=7, name="till", channel="store", is_trusted=True, default_region="NL")

    assert codes(GOOD, ("phone", "0612345670"), sender=dutch) == {}
    assert codes(GOOD, ("phone", "0612345670")) == {"identifier_dropped": 1}


def test_publishable_key_warns_of_nothing():
    public = Sender(source_id=7, name="app", channel="app")

    assert codes(("user_id", "undefined"), sender=public) == {}


def test_secret_key_that_may_not_identify_has_warnings():
    ingesting = Sender(source_id=7, name="app", channel="app", is_secret=True)

    assert codes(("user_id", "undefined"), sender=ingesting) == {"non_identifier": 1}


def test_warnings_are_counted_by_code_with_the_first_event_as_example():
    events = [
        incoming_event(GOOD, ("phone", "12"), message_id="m-1"),
        incoming_event(GOOD, ("user_id", "null"), ("email", "x"), message_id="m-2"),
        incoming_event(GOOD, message_id="m-3"),
    ]

    assert find_warnings(events, SERVER) == [
        IngestWarning("identifier_dropped", 2, "m-1"),
        IngestWarning("non_identifier", 1, "m-2"),
    ]


def test_merged_warnings_keep_counts_and_first_examples():
    warnings = [IngestWarning("b", 2, "m-2"), IngestWarning("a", 1, "m-1")]

    assert merge_warnings([*warnings, IngestWarning("b", 3, "m-3")]) == [
        IngestWarning("a", 1, "m-1"),
        IngestWarning("b", 5, "m-2"),
    ]
    assert merge_warnings([]) == []
