import pytest

from channels.phone.caller_numbers import OtherParty, read_other_party

NOORS = "+31612345678"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("+31612345678", id="e164"),
        pytest.param("31612345678", id="plus-left-out"),
        pytest.param(" 31612345678", id="plus-lost-in-a-form"),
        pytest.param("0031612345678", id="two-zeros"),
        pytest.param("06 12345678", id="national"),
        pytest.param("+31 (0)6 1234-5678", id="with-trunk-prefix"),
        pytest.param("sip:+31612345678@trunk.example.net", id="sip"),
        pytest.param("sip:%2B31612345678@trunk.example.net;user=phone", id="sip-percent-encoded"),
        pytest.param("sips:0612345678:secret@10.0.0.4:5061", id="sips-with-password-and-port"),
        pytest.param("SIP:+31612345678;npdi@trunk.example.net", id="sip-user-parameter"),
        pytest.param("tel:+31-6-1234-5678", id="tel"),
        pytest.param("tel:612345678;phone-context=+31", id="tel-local-with-context"),
        pytest.param("<sip:+31612345678@trunk.example.net>;tag=a73", id="in-brackets"),
    ],
)
def test_number_is_read_in_each_spelling(written):
    assert read_other_party(written, "NL").number == NOORS


def test_short_number_whose_plus_became_a_space_is_international():
    assert read_other_party(" 4686620010", "NL").number == "+4686620010"


def test_display_name_is_kept_beside_the_number():
    party = read_other_party('"Noor de Wit" <sip:+31612345678@trunk.example.net>', "NL")

    assert (party.number, party.display_name) == (NOORS, "Noor de Wit")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param("anonymous", id="word"),
        pytest.param("Unknown Caller", id="words"),
        pytest.param('"Anonymous" <sip:anonymous@anonymous.invalid>', id="rfc-3323"),
        pytest.param("sip:restricted@trunk.example.net", id="sip"),
        pytest.param("+266696687", id="keys-of-anonymous"),
        pytest.param("+7378742833", id="keys-of-restricted"),
        pytest.param("+86282452253", id="keys-of-unavailable"),
        pytest.param("+2562533", id="keys-of-blocked"),
        pytest.param("266696687", id="keys-without-plus"),
    ],
)
def test_withheld_number_is_empty(written):
    assert read_other_party(written, "NL") == OtherParty()


@pytest.mark.parametrize(
    ("written", "text"),
    [
        pytest.param("101", "101", id="extension"),
        pytest.param("sip:noor@pbx.example.net", "noor", id="user"),
        pytest.param("+1", "+1", id="too-short"),
    ],
)
def test_other_text_is_shown_and_is_no_number(written, text):
    party = read_other_party(written, "NL")

    assert (party.number, party.text) == ("", text)
