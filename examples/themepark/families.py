"""Invented families, the same ones for the same seed and day."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from examples.themepark.catalogue import Guest, data

LANGUAGES = ("nl", "sv", "da", "de", "en")
DOMAINS = ("example.com", "example.net", "example.org")
CHILDREN = (0, 1, 1, 2, 2, 2, 3)


@dataclass(frozen=True, slots=True)
class Member:
    """One of the party who has no record of their own."""

    reference: str
    name: str
    role: str
    birth_date: date
    guardian: str = ""
    height_cm: int | None = None

    def age(self, day: date) -> int:
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True, slots=True)
class Family:
    """A customer and the people they come with."""

    key: str
    given: str
    family: str
    language: str
    email: str
    phone: str
    card: str
    birth_date: date
    members: tuple[Member, ...]

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    def guests(self, day: date) -> list[Guest]:
        born = self.birth_date
        own = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        return [Guest(own), *(Guest(member.age(day)) for member in self.members)]


def noor(today: date) -> Family:
    """Return the guest whose story the example tells."""
    told = data("people")["noor"]
    return Family(
        key="noor",
        given=told["given"],
        family=told["family"],
        language=told["language"],
        email=told["email"],
        phone=told["phone"],
        card=told["card"],
        birth_date=_months_before(today, told["age_months"]),
        members=tuple(_told_member(member, today) for member in told["party"]),
    )


def families(*, seed: int, today: date, count: int) -> Iterator[Family]:
    """Yield families of five languages; addresses and numbers are each used once."""
    chance = random.Random(seed)
    phones = {language: _phones(language) for language in LANGUAGES}
    taken: set[str] = set()
    for index in range(count):
        language = LANGUAGES[index % len(LANGUAGES)]
        phone = next(phone for phone in phones[language] if phone not in taken)
        taken.add(phone)
        yield _family(chance, index, language, phone, today)


def _family(chance: random.Random, index: int, language: str, phone: str, today: date) -> Family:
    names = data("people")["names"][language]
    given, family = chance.choice(names["adults"]), chance.choice(names["families"])
    key = f"{_plain(given)}.{_plain(family)}.{index + 1}"
    return Family(
        key=key,
        given=given,
        family=family,
        language=language,
        email=f"{key}@{chance.choice(DOMAINS)}",
        phone=phone,
        card=f"LK-{3000 + index:04d}-{chance.randrange(10_000):04d}",
        birth_date=_birth_date(chance, today, 24, 58),
        members=tuple(_members(chance, names, family, today)),
    )


def _members(
    chance: random.Random, names: dict[str, list[str]], family: str, today: date
) -> Iterator[Member]:
    if chance.random() < 0.7:
        partner = chance.choice(names["adults"])
        born = _birth_date(chance, today, 24, 58)
        yield Member("partner", f"{partner} {family}", "guardian", born)
    given = chance.sample(names["children"], chance.choice(CHILDREN))
    for number, child in enumerate(given, start=1):
        born = _birth_date(chance, today, 1, 15)
        height = min(75 + 6 * ((today - born).days // 365), 178)
        yield Member(f"child-{number}", f"{child} {family}", "child", born, "", height)
    if chance.random() < 0.15:
        elder = chance.choice(names["adults"])
        born = _birth_date(chance, today, 62, 79)
        yield Member("grandparent", f"{elder} {family}", "guest", born)


def _told_member(told: dict[str, Any], today: date) -> Member:
    return Member(
        reference=told["reference"],
        name=told["name"],
        role=told["role"],
        birth_date=_months_before(today, told["age_months"]),
        height_cm=told.get("height_cm"),
    )


def _months_before(today: date, months: int) -> date:
    # A month of 30.44 days is exact enough: nobody's birthday matters to the day here.
    return today - timedelta(days=round(months * 30.44))


def _birth_date(chance: random.Random, today: date, youngest: int, oldest: int) -> date:
    return today - timedelta(days=chance.randrange(youngest * 365, oldest * 365))


def _phones(language: str) -> Iterator[str]:
    for pattern in data("people")["phones"][language]:
        stem, digits = pattern.rstrip("#"), pattern.count("#")
        # The UK ranges of four digits begin with a nought: only a thousand are reserved.
        for number in range(min(10**digits, 1000)):
            yield f"{stem}{number:0{digits}d}"


def _plain(name: str) -> str:
    """Spell a name with the letters an address may have."""
    for letter, plain in (("ß", "ss"), ("ø", "o"), ("Ø", "o"), ("æ", "ae"), ("Æ", "ae")):
        name = name.replace(letter, plain)
    decomposed = unicodedata.normalize("NFD", name)
    return "".join(c for c in decomposed.lower() if c.isascii() and c.isalpha())
