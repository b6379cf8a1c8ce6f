"""Values that senders put where an identifier belongs, although they identify nobody."""

import pytest

from customers.identity import normalize as normalize_module
from customers.identity.non_identifiers import (
    DEFAULT_FILE,
    InvalidRules,
    NonIdentifiers,
    is_made_up,
)
from customers.identity.normalize import KINDS, normalize
from customers.models import Customer, Identifier
from tests import factories
from tests.factories import identify, record

OF_EVERY_KIND = [
    "{{ user.id }}",
    "{{{email}}}",
    "${user.email}",
    "<%= @user.id %>",
    "%%EMAIL%%",
    "%RECIPIENT_EMAIL%",
    "*|EMAIL|*",
    "[[email]]",
    "{email}",
    "{% user_id %}",
    "YOUR_USER_ID",
    "<your-email>",
    "[null]",
    "(none)",
    "<undefined>",
    "{unknown}",
    "[Not Set]",
    "#N/A",
    "#REF!",
    "test",
    "Default",
    "GUEST",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "{00000000-0000-0000-0000-000000000000}",
    "{FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF}",
    "guest-user",
    "Anonymous_User",
    "not-logged-in",
    "logged_out",
    "noreply@shop.nl",
    "no-reply+1@shop.nl",
    "noemail@shop.nl",
    "no-email@noemail.com",
    "null@null.com",
    "Undefined@undefined.com",
    "geen@geen.nl",
    "test@test.com",
    "na@na.com",
    "X@x.nl",
    "asdf@asdf.com",
    "email@email.com",
    "\u200bnull\ufeff",
    "nu\u00adll",
    "null\u3164",
    "gu\u115fest",
    "\u2800unknown\ufe0f",
    "\uff35\uff4e\uff4b\uff4e\uff4f\uff57\uff4e",
]
RULES = NonIdentifiers().add(DEFAULT_FILE)


@pytest.mark.parametrize("kind", [kind.replace("external", "external:crm") for kind in KINDS])
@pytest.mark.parametrize("value", OF_EVERY_KIND)
def test_placeholder_identifies_nobody_whatever_its_kind(kind, value):
    assert normalize(kind, value, "NL") is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "0000000000"),
        ("phone", "1111111"),
        ("phone", "+1 555 555 5555"),
        ("phone", "+31 1234567890"),
        ("phone", "0123456789"),
        ("phone", "9876543210"),
        ("phone", "+266696687"),
        ("phone", "Anonymous"),
        ("phone", "withheld"),
        ("card", "1234567890"),
        ("card", "00000000"),
        ("card", "9999-9999-9999-9999"),
        ("card", "VISA"),
        ("card", "Mastercard"),
        ("card", "VISA 1234"),
        ("card", "Visa Debit ending in 4242"),
        ("card", "MasterCard-0017"),
        ("card", "**** **** **** 4242"),
        ("card", "XXXX-XXXX-1234"),
        ("card", "•••• 4242"),
        ("email", "noreply@shop.nl"),
        ("email", "No-Reply@shop.nl"),
        ("email", "do-not-reply@shop.nl"),
        ("email", "MAILER-DAEMON@mx.shop.nl"),
    ],
)
def test_value_that_is_typed_to_get_past_a_form_identifies_nobody(kind, value):
    assert normalize(kind, value, "NL") is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "+31612345678"),
        ("phone", "+1 212 555 0100"),
        ("phone", "+46701740605"),
        ("card", "LK-000123"),
        ("card", "VISA 4000 1234 5678 9010"),
        ("card", "VISA1-1234"),
        ("card", "Visayas 1234"),
        ("user_id", "{0f8fad5b-d9cb-469f-a165-70867728950e}"),
        ("email", "noor+noreply@shop.nl"),
        ("card", "4000 1234 5678 9010"),
        ("card", "6007"),
        ("card", "#482917"),
        ("phone", "+31654321098"),
        ("user_id", "tester"),
        ("user_id", "1234567"),
        ("user_id", "null-1"),
        ("user_id", "guest-42"),
        ("user_id", "guest-user-42"),
        ("user_id", "test@corp.local"),
        ("email", "noemailfan@shop.nl"),
        ("email", "test@shop.nl"),
        ("email", "noor@test.nl"),
        ("user_id", "a{b}c"),
        ("order", "1234567"),
        ("email", "testa@shop.nl"),
        ("email", "noreply.fan@shop.nl"),
        ("email", "anna.test@shop.nl"),
        ("anonymous_id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ],
)
def test_value_that_only_resembles_a_placeholder_identifies_somebody(kind, value):
    assert normalize(kind, value, "NL") is not None


def test_invisible_characters_do_not_make_another_identifier():
    assert normalize("email", "noor\u200b@shop.nl\ufeff") == "noor@shop.nl"
    assert normalize("user_id", "\u200enoor") == "noor"
    assert normalize("user_id", "noor\u3164\u034f\U000e0100") == "noor"


@pytest.mark.parametrize("domain", ["example.com", "mail.example.org", "park.test", "a.invalid"])
def test_reserved_domain_identifies_somebody_only_where_it_is_allowed(domain):
    strict = NonIdentifiers(allows_reserved_domains=False).add(DEFAULT_FILE)
    lenient = NonIdentifiers(allows_reserved_domains=True).add(DEFAULT_FILE)

    assert strict.matches("email", f"noor@{domain}")
    assert not lenient.matches("email", f"noor@{domain}")
    assert not strict.matches("email", "noor@myexample.com")


def test_company_adds_its_own_words_and_patterns(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("[any]\nwords = ['Walk-In']\n[card]\npatterns = ['demo.*']\n")
    rules = NonIdentifiers().add(DEFAULT_FILE, path)

    assert rules.matches("user_id", "walk-in ")
    assert rules.matches("card", "DEMO-17")
    assert rules.matches("user_id", "null")
    assert not rules.matches("user_id", "demo-17")


@pytest.mark.parametrize(
    "content", ["[any", "[any]\nwords = [1]\n", "[any]\npatterns = ['(']\n", "[any]\nword = []\n"]
)
def test_file_of_another_shape_is_refused_by_name(tmp_path, content):
    path = tmp_path / "own.toml"
    path.write_text(content)

    with pytest.raises(InvalidRules, match=r"own\.toml"):
        NonIdentifiers().add(path)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("1111111", True),
        ("7654321", True),
        ("111111", False),
        ("1112222", False),
        ("7890123", False),
    ],
)
def test_seven_equal_or_sequential_digits_are_made_up(number, expected):
    assert is_made_up(number) is expected


@pytest.mark.django_db
def test_customers_who_share_a_placeholder_stay_apart():
    for name in ("noor", "sam", "lin"):
        record(identify(("user_id", name), ("phone", "0000000000"), ("card", "VISA")))

    assert Customer.objects.count() == 3
    assert set(Identifier.objects.values_list("kind", flat=True)) == {"user_id"}


@pytest.fixture
def own_addresses(monkeypatch):
    rules = NonIdentifiers(allows_reserved_domains=True, own_addresses=["Larkmoor.example"])
    monkeypatch.setattr(normalize_module, "_non_identifiers", rules.add(DEFAULT_FILE))


@pytest.mark.django_db
@pytest.mark.parametrize(("channel", "kinds"), [("phone", {"phone"}), ("app", {"phone", "email"})])
def test_address_of_the_company_identifies_nobody_when_its_staff_type_it(
    own_addresses, channel, kinds
):
    desk = factories.sender(factories.source(channel=channel))

    record(identify(("email", "desk@larkmoor.example"), ("phone", "+31612345678")), by=desk)

    assert set(Identifier.objects.values_list("kind", flat=True)) == kinds


@pytest.mark.parametrize(
    "number", ["+31000000000", "+31 6 00000000", "+44 0000000000", "0600000000", "+1 5555555555"]
)
def test_phone_of_equal_digits_identifies_nobody(number):
    assert normalize("phone", number, "NL") is None
    assert normalize_module.refusal_code("phone", number, "NL") == "non_identifier"


@pytest.mark.parametrize("number", ["+31611111111", "+31612345678", "+31201234567", "+31201111111"])
def test_number_that_somebody_may_have_identifies_its_holder(number):
    assert normalize("phone", number) == number


@pytest.mark.parametrize("mailbox", ["mail@abc.nl", "email@mail.com", "aa@xx.nl", "anne@anne.nl"])
def test_mailbox_that_somebody_may_have_identifies_its_holder(mailbox):
    assert normalize("email", mailbox) == mailbox
