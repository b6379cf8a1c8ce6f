"""Invented families, which are the same for the same seed and day."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from examples.themepark.catalogue import PartyGuest, read_data

LANGUAGES = ("nl", "sv", "da", "de", "en")
DOMAINS = ("example.com", "example.net", "example.org")
CHILDREN = (0, 1, 1, 2, 2, 2, 3)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a party without a record."""

    reference: str
    name: str
    role: str
    birth_date: date
    guardian: str = ""
    height_cm: int | None = None

    def age(self, day: date) -> int:
        """Return the age in whole years on this day."""
        birth_date = self.birth_date
        return (
            day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
        )


@dataclass(frozen=True, slots=True)
class Family:
    """A customer and the other members of the party."""

    key: str
    first_name: str
    last_name: str
    language: str
    email: str
    phone: str
    card: str
    birth_date: date
    members: tuple[Member, ...]

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def guests(self, day: date) -> list[PartyGuest]:
        """Return the guests on this day: first the customer, then the members."""
        birth_date = self.birth_date
        age = (
            day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
        )
        return [PartyGuest(age), *(PartyGuest(member.age(day)) for member in self.members)]


def noor(today: date) -> Family:
    """Return the family of Noor, the guest of the example's story."""
    profile = read_data("people")["noor"]
    return Family(
        key="noor",
        first_name=profile["first_name"],
        last_name=profile["last_name"],
        language=profile["language"],
        email=profile["email"],
        phone=profile["phone"],
        card=profile["card"],
        birth_date=_months_before(today, profile["age_months"]),
        members=tuple(_noors_member(member, today) for member in profile["party"]),
    )


def families(*, seed: int, today: date, count: int) -> Iterator[Family]:
    """Yield families of five languages; each mail address and phone number is unique."""
    random_ = random.Random(seed)
    phones = {language: _phones(language) for language in LANGUAGES}
    used_phones: set[str] = set()
    for index in range(count):
        language = LANGUAGES[index % len(LANGUAGES)]
        phone = next(phone for phone in phones[language] if phone not in used_phones)
        used_phones.add(phone)
        yield _family(random_, index, language, phone, today)


def _family(random_: random.Random, index: int, language: str, phone: str, today: date) -> Family:
    names = read_data("people")["names"][language]
    first_name, last_name = random_.choice(names["adults"]), random_.choice(names["families"])
    key = f"{_plain(first_name)}.{_plain(last_name)}.{index + 1}"
    return Family(
        key=key,
        first_name=first_name,
        last_name=last_name,
        language=language,
        email=f"{key}@{random_.choice(DOMAINS)}",
        phone=phone,
        card=f"LK-{3000 + index:04d}-{random_.randrange(10_000):04d}",
        birth_date=_birth_date(random_, today, 24, 58),
        members=tuple(_members(random_, names, last_name, today)),
    )


def _members(
    random_: random.Random, names: dict[str, list[str]], last_name: str, today: date
) -> Iterator[Member]:
    if random_.random() < 0.7:
        partner = random_.choice(names["adults"])
        birth_date = _birth_date(random_, today, 24, 58)
        yield Member("partner", f"{partner} {last_name}", "guardian", birth_date)
    children = random_.sample(names["children"], random_.choice(CHILDREN))
    for number, child in enumerate(children, start=1):
        birth_date = _birth_date(random_, today, 1, 15)
        height = min(75 + 6 * ((today - birth_date).days // 365), 178)
        yield Member(f"child-{number}", f"{child} {last_name}", "child", birth_date, "", height)
    if random_.random() < 0.15:
        elder = random_.choice(names["adults"])
        birth_date = _birth_date(random_, today, 62, 79)
        yield Member("grandparent", f"{elder} {last_name}", "guest", birth_date)


def _noors_member(profile: dict[str, Any], today: date) -> Member:
    return Member(
        reference=profile["reference"],
        name=profile["name"],
        role=profile["role"],
        birth_date=_months_before(today, profile["age_months"]),
        height_cm=profile.get("height_cm"),
    )


def _months_before(today: date, months: int) -> date:
    # A month of 30.44 days is exact enough: the exact day of a birthday does not matter here.
    return today - timedelta(days=round(months * 30.44))


def _birth_date(random_: random.Random, today: date, youngest: int, oldest: int) -> date:
    return today - timedelta(days=random_.randrange(youngest * 365, oldest * 365))


def _phones(language: str) -> Iterator[str]:
    for pattern in read_data("people")["phones"][language]:
        prefix, digits = pattern.rstrip("#"), pattern.count("#")
        # The UK ranges of four digits begin with a zero, because only a thousand are reserved.
        for number in range(min(10**digits, 1000)):
            yield f"{prefix}{number:0{digits}d}"


def _plain(name: str) -> str:
    """Return a name with only the letters a to z, for a mail address."""
    for letter, plain in (("ß", "ss"), ("ø", "o"), ("Ø", "o"), ("æ", "ae"), ("Æ", "ae")):
        name = name.replace(letter, plain)
    decomposed = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in decomposed.lower() if letter.isascii() and letter.isalpha())
