import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.identity import normalize as normalize_module
from customers.identity.normalize import KINDS, is_kind, normalize


@pytest.mark.parametrize(
    ("kind", "value", "region", "spelled"),
    [
        ("email", " Noor@Example.COM ", None, "noor@example.com"),
        ("email", "noor@bücher.example", None, "noor@xn--bcher-kva.example"),
        ("email", "not an address", None, None),
        ("email", "noor@localhost@example.com", None, None),
        ("phone", "06 1234 5678", "NL", "+31612345678"),
        ("phone", "+31 (0)6 1234 5678", None, "+31612345678"),
        ("phone", "0031612345678", "NL", "+31612345678"),
        ("phone", "06 1234 5678", None, None),
        ("phone", "12", "NL", None),
        ("phone", "+52 1 55 1234 5678", None, "+525512345678"),
        ("phone", "+52 55 1234 5678", None, "+525512345678"),
        ("phone", "+55 41 8888-7776", None, "+5541988887776"),
        ("phone", "+55 41 98888-7776", None, "+5541988887776"),
        ("phone", "+55 41 3333-4445", None, "+554133334445"),
        ("card", "6 007-11 a", None, "600711A"),
        ("user_id", " 42 ", None, "42"),
        ("user_id", "Noor", None, "Noor"),
        ("external:crm", "0031-A", None, "0031-A"),
        ("anonymous_id", "a" * 513, None, None),
        ("user_id", "tab\there", None, None),
    ],
)
def test_identifier_is_normalized_to_one_spelling(kind, value, region, spelled):
    assert normalize(kind, value, region) == spelled


PLACEHOLDERS = """null NULL None undefined anonymous guest NaN true 0 -1 000-000
00000000-0000-0000-0000-000000000000 "null" ''"""


@pytest.mark.parametrize("placeholder", [*PLACEHOLDERS.split(), "", "  ", "[object Object]"])
@pytest.mark.parametrize("kind", KINDS)
def test_placeholder_value_is_no_identifier(kind, placeholder):
    assert normalize(kind.replace("external", "external:crm"), placeholder) is None


@given(st.sampled_from(["email", "phone", "card", "user_id", "anonymous_id"]), st.text())
def test_normalized_identifier_does_not_change_again(kind, value):
    once = normalize(kind, value, "NL")

    assert once is None or normalize(kind, once, "NL") == once


@pytest.mark.parametrize("kind", ["", "external", "external:", "name", "user_id ", "external:A"])
def test_unknown_kind_of_identifier_is_refused(kind):
    assert not is_kind(kind)


def test_identifier_that_a_library_trips_over_is_nobodys(monkeypatch):
    def trips(*_, **__):
        raise IndexError

    monkeypatch.setattr(normalize_module.phonenumbers, "parse", trips)

    assert normalize("phone", "+31612345670") is None


@pytest.mark.parametrize(
    ("mailbox", "other"), [("weiß@shop.nl", "weiss@shop.nl"), ("ﬁn@shop.nl", "fin@shop.nl")]
)
def test_mailboxes_with_different_letters_are_not_one(mailbox, other):
    assert normalize("email", mailbox) != normalize("email", other)
