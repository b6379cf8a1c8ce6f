"""The products of Larkmoor and their prices by day. Reads its data files, otherwise pure."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class PartyGuest:
    """One person of a party; the age decides the price."""

    age: int

    @property
    def fare(self) -> str:
        """The fare for this age: toddler, child, adult or senior."""
        if self.age < 4:
            return "toddler"
        if self.age < 12:
            return "child"
        return "senior" if self.age >= 65 else "adult"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A quantity of one product, at its price at the time of the order."""

    product: str
    name: str
    quantity: int
    unit_price: Decimal

    @property
    def total(self) -> Decimal:
        """The price of all pieces, in euros."""
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Package:
    key: str
    name: str
    nights: int
    arrival: time | None
    lines: tuple[str, ...]


@cache
def read_data(name: str) -> dict[str, Any]:
    """Return a TOML file of the folder `data`, by its name without the ending."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def find_package(key: str) -> Package:
    """Return a package of the catalogue. Raises KeyError for an unknown key."""
    package = read_data("catalogue")["packages"][key]
    arrival = time.fromisoformat(package["arrival"]) if "arrival" in package else None
    return Package(key, package["name"], package["nights"], arrival, tuple(package["lines"]))


def season(day: date) -> str:
    """Return the name of the season whose prices hold on a day."""
    names = [
        season["name"]
        for season in read_data("park")["seasons"]
        if season["from"] <= f"{day:%m-%d}"
    ]
    return str(names[-1])


def price(product: str, day: date) -> Decimal:
    """Return the price of one unit of a product on the day of the visit, in EUR."""
    price = read_data("catalogue")["products"][product]["price"]
    return Decimal(price if isinstance(price, str) else price[season(day)])


def lines(key: str, *, party: Sequence[PartyGuest], day: date) -> tuple[OrderLine, ...]:
    """Return the order lines of an arrangement for a party on a day."""
    return tuple(_lines(find_package(key), party, day))


def _lines(package: Package, party: Sequence[PartyGuest], day: date) -> Iterator[OrderLine]:
    for product in package.lines:
        product_data = read_data("catalogue")["products"][product]
        if quantity := _quantity(product_data["for"], package.nights, party):
            yield OrderLine(product, product_data["name"], quantity, price(product, day))


def _quantity(counted_by: str, nights: int, party: Sequence[PartyGuest]) -> int:
    if counted_by == "party":
        return 1
    if counted_by == "night":
        return nights
    if counted_by == "guest":
        return sum(guest.fare != "toddler" for guest in party) * max(nights, 1)
    return sum(guest.fare == counted_by for guest in party)
