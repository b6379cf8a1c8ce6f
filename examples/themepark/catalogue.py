"""What Larkmoor sells and what it costs on a day. Pure, but for reading its own data files."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Guest:
    """One person of a party, as far as a price depends on it."""

    age: int

    @property
    def fare(self) -> str:
        if self.age < 4:
            return "toddler"
        if self.age < 12:
            return "child"
        return "senior" if self.age >= 65 else "adult"


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one product, at the price promised when it was ordered."""

    product: str
    name: str
    quantity: int
    unit_price: Decimal

    @property
    def total(self) -> Decimal:
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Arrangement:
    key: str
    name: str
    nights: int
    arrival: time | None
    lines: tuple[str, ...]


@cache
def data(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


def arrangement(key: str) -> Arrangement:
    found = data("catalogue")["arrangements"][key]
    arrival = time.fromisoformat(found["arrival"]) if "arrival" in found else None
    return Arrangement(key, found["name"], found["nights"], arrival, tuple(found["lines"]))


def season(day: date) -> str:
    """Return the season whose prices hold on a day."""
    begun = [s["name"] for s in data("park")["seasons"] if s["from"] <= f"{day:%m-%d}"]
    return str(begun[-1])


def price(product: str, day: date) -> Decimal:
    """Return the price of one on the day of the visit, in EUR."""
    asked = data("catalogue")["products"][product]["price"]
    return Decimal(asked if isinstance(asked, str) else asked[season(day)])


def lines(key: str, *, party: Sequence[Guest], day: date) -> tuple[Line, ...]:
    """Return the lines of an arrangement for this party on this day."""
    return tuple(_lines(arrangement(key), party, day))


def _lines(wanted: Arrangement, party: Sequence[Guest], day: date) -> Iterator[Line]:
    for product in wanted.lines:
        about = data("catalogue")["products"][product]
        if quantity := _quantity(about["for"], wanted.nights, party):
            yield Line(product, about["name"], quantity, price(product, day))


def _quantity(counted_by: str, nights: int, party: Sequence[Guest]) -> int:
    if counted_by == "party":
        return 1
    if counted_by == "night":
        return nights
    if counted_by == "guest":
        return sum(guest.fare != "toddler" for guest in party) * max(nights, 1)
    return sum(guest.fare == counted_by for guest in party)
