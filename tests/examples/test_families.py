from collections import Counter
from datetime import date

import phonenumbers
import pytest

from customers.identity.normalize import normalize
from examples.themepark.families import DOMAINS, LANGUAGES, families, noor

TODAY = date(2026, 11, 21)
ALL = [noor(TODAY), *families(seed=7, today=TODAY, count=400)]

# Kept free for films and books: Ofcom's drama numbers (0xxx), PTS's fictitious numbers, and
# the Bundesnetzagentur's drama numbers.
RESERVED_PREFIXES = (
    "+442079460", "+441614960", "+441174960", "+441632960",
    "+46701740605",
    "+493023125", "+494066969", "+492214710", "+498999998", "+496990009",
)  # fmt: skip


def test_same_seed_and_day_give_the_same_families():
    assert list(families(seed=7, today=TODAY, count=400)) == ALL[1:]


def test_another_seed_gives_other_families():
    assert list(families(seed=8, today=TODAY, count=400)) != ALL[1:]


@pytest.mark.parametrize("kind", ["key", "email", "phone", "card"])
def test_identifiers_are_unique(kind):
    counted = Counter(getattr(family, kind) for family in ALL)

    assert counted.most_common(1)[0][1] == 1


def test_phone_numbers_are_from_reserved_ranges():
    for family in ALL:
        assert family.phone.startswith(RESERVED_PREFIXES)
        assert phonenumbers.is_possible_number(phonenumbers.parse(family.phone))


def test_email_addresses_are_at_example_domains():
    assert {family.email.partition("@")[2] for family in ALL} <= set(DOMAINS)


@pytest.mark.parametrize("kind", ["email", "phone", "card"])
def test_every_identifier_is_valid(kind):
    assert all(normalize(kind, getattr(family, kind)) for family in ALL)


def test_families_have_five_languages():
    assert {family.language for family in ALL} == set(LANGUAGES)


def test_noor_has_a_son_of_eight():
    ages = {member.name: member.age(TODAY) for member in noor(TODAY).members}

    assert ages["Sem de Wit"] == 8
