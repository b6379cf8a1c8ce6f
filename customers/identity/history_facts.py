"""Compares a fact that a customer gives with the facts of the record. Pure.

A fact has to be hard to guess for the next holder of a mailbox, also with ten tries:

- an order with its total, because many sources count their orders, so a number alone is a guess;
- a card of eight characters or more;
- the last name with the birth date.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from customers.values.amounts import read_amount

MIN_CARD_LENGTH = 8
_LAST_NAMES = ("last_name", "lastName", "lastname", "family_name", "surname")
_FULL_NAMES = ("name", "full_name", "fullName")
_BIRTH_DATES = ("birth_date", "birthDate", "birthday", "date_of_birth")
TRAIT_NAMES = (*_LAST_NAMES, *_FULL_NAMES, *_BIRTH_DATES)
_NOT_LETTER = re.compile(r"[\W_]+")


class HistoryFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fact: an order with its total, a card, or a last name with a birth date."""

    order_number: str = ""
    order_total: str = ""
    card: str = ""
    last_name: str = ""
    birth_date: date | None = None

    @property
    def is_complete(self) -> bool:
        """True if there is enough of one fact to compare."""
        return bool(
            (self.order_number.strip() and self.order_total.strip())
            or self.card.strip()
            or (self.last_name.strip() and self.birth_date)
        )


class StoredFacts(msgspec.Struct, frozen=True):
    """The facts of a record: orders with their totals, cards, and statements about traits."""

    orders: Sequence[tuple[str, Decimal]]
    cards: Sequence[str]
    traits: Sequence[tuple[str, object]]


def matches(fact: HistoryFact, stored: StoredFacts) -> bool:
    """Tell whether the fact is true for the record."""
    return (
        _matches_order(fact, stored.orders)
        or _matches_card(fact.card, stored.cards)
        or _matches_person(fact, stored.traits)
    )


def _matches_order(fact: HistoryFact, orders: Iterable[tuple[str, Decimal]]) -> bool:
    number, total = _letters(fact.order_number), read_amount(fact.order_total).value
    # Everybody can guess the total of an order that cost nothing.
    if not number or not total:
        return False
    return any(
        _letters(stored) == number and stored_total == total for stored, stored_total in orders
    )


def _matches_card(card: str, cards: Iterable[str]) -> bool:
    number = _letters(card)
    return len(number) >= MIN_CARD_LENGTH and any(_letters(stored) == number for stored in cards)


def _matches_person(fact: HistoryFact, traits: Sequence[tuple[str, object]]) -> bool:
    last_name = _letters(fact.last_name)
    if not last_name or fact.birth_date is None:
        return False
    texts = [(name, value) for name, value in traits if isinstance(value, str)]
    is_born_then = any(
        name in _BIRTH_DATES and value[:10] == fact.birth_date.isoformat() for name, value in texts
    )
    return is_born_then and any(_is_last_name(last_name, name, value) for name, value in texts)


def _is_last_name(last_name: str, name: str, value: str) -> bool:
    """Tell whether a trait has this last name: as it is, or as the end of a full name."""
    if name in _LAST_NAMES:
        return _letters(value) == last_name
    words = value.split()
    ends = ("".join(words[index:]) for index in range(1, len(words)))
    return name in _FULL_NAMES and any(_letters(end) == last_name for end in ends)


def _letters(text: str) -> str:
    """Return the letters and digits of a text, without accents and in one case."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return _NOT_LETTER.sub("", "".join(part for part in parts if not unicodedata.combining(part)))
