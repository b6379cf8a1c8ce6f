"""An order as somebody takes it down on the phone: what the form says, and what is wrong. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

# How many lines a form reads, and how many it shows at least, some of them empty.
LINES, SHOWN, SPARE = 60, 6, 2
_MOST = Decimal(1_000_000)


class Wrong(NamedTuple):
    """What is wrong, and in which field of the form; empty: in none of them."""

    words: str
    field: str = ""


@dataclass(slots=True)
class Line:
    """One line of the form, as typed; `id` where the order has it already."""

    id: str = ""
    name: str = ""
    quantity: str = ""
    price: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.name or self.price)


@dataclass(slots=True)
class Form:
    """What was typed, and what is wrong with it."""

    name: str = ""
    visit_date: str = ""
    visit_time: str = ""
    guests: str = ""
    currency: str = "EUR"
    note: str = ""
    lines: list[Line] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum(
            (
                amount(line.price) * (count(line.quantity) or 0)
                for line in self.lines
                if not line.is_empty
            ),
            Decimal("0.00"),
        )


def read(fields: Mapping[str, str], today: date) -> Form:
    """Read the form; what is wrong is in it, in the order of its fields."""

    def text(name: str, most: int = 200) -> str:
        return "".join(c for c in fields.get(name, "") if c.isprintable()).strip()[:most]

    form = Form(
        name=text("name"),
        visit_date=text("visit_date"),
        visit_time=text("visit_time"),
        guests=text("guests", 500),
        currency=text("currency", 3).upper() or "EUR",
        note=text("note", 500),
    )
    for number in range(LINES):
        line = Line(
            text(f"line{number}_id"),
            text(f"line{number}_name"),
            text(f"line{number}_quantity", 6) or "1",
            text(f"line{number}_price", 12).replace(",", "."),
        )
        if not line.is_empty:
            form.lines.append(line)
    form.wrong = _wrong(form, today)
    return form


def _wrong(form: Form, today: date) -> list[Wrong]:
    wrong = [*_wrong_visit(form, today)]
    if not (len(form.currency) == 3 and form.currency.isalpha()):
        wrong.append(Wrong("A currency has three letters."))
    if not form.lines:
        wrong.append(Wrong("There is nothing in the order yet.", "line0_name"))
    for number, line in enumerate(form.lines):
        wrong += _wrong_line(line, f"line{number}_")
    return wrong


def _wrong_visit(form: Form, today: date) -> Iterator[Wrong]:
    visit = _date(form.visit_date)
    if form.visit_date and visit is None:
        yield Wrong("The date of the visit is not a date.", "visit_date")
    if visit and visit < today:
        yield Wrong("The date of the visit is over.", "visit_date")
    if form.visit_time and _time(form.visit_time) is None:
        yield Wrong("The time of arrival is not a time, such as 10:30.", "visit_time")


def _wrong_line(line: Line, start: str) -> Iterator[Wrong]:
    it = line.name or "it"
    if not line.name:
        yield Wrong("A line has a price, but no name.", f"{start}name")
    if count(line.quantity) is None:
        yield Wrong(f"How many of {it}? A number from 1 to 999.", f"{start}quantity")
    if amount(line.price, None) is None:
        yield Wrong(f"The price of {it} is not an amount, such as 34.50.", f"{start}price")


def statement(form: Form) -> dict[str, object]:
    """Return what is stated about an order that nothing is wrong with."""
    said: dict[str, object] = {
        "currency": form.currency,
        "lines": [
            {
                **({"line_id": line.id} if line.id else {}),
                "name": line.name,
                "quantity": count(line.quantity),
                "unit_price": str(amount(line.price)),
            }
            for line in form.lines
        ],
    }
    said |= {
        name: value
        for name, value in (
            ("name", form.name),
            ("note", form.note),
            ("visit_date", form.visit_date),
        )
        if value
    }
    if form.visit_time:
        said["visit_time"] = f"{form.visit_time}:00"[:8]
    if guests := [guest.strip() for guest in form.guests.split(",") if guest.strip()]:
        said["party"] = [{"name": guest[:100]} for guest in guests[:50]]
    return said


def count(text: str) -> int | None:
    number = text or "1"
    return int(number) if number.isascii() and number.isdigit() and 0 < int(number) < 1000 else None


def amount[T](text: str, otherwise: T | Decimal = Decimal("0.00")) -> Decimal | T:
    """Return an amount to the cent; what is none is `otherwise`."""
    try:
        found = Decimal(text or "0")
    except InvalidOperation:
        return otherwise
    is_money = found.is_finite() and 0 <= found < _MOST and found == round(found, 2)
    return round(found, 2) if is_money else otherwise


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None
