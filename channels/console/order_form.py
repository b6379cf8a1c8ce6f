"""The form with which staff enter or change an order, and its errors. Reads no database."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms

from channels.console.fields import CurrencyField, TypedTextField
from channels.console.order_lines import (
    BaseOrderLines,
    line_statement,
    order_lines,
    posted_order_lines,
)
from channels.console.presenters.orders import StaffOrder


class FormError(NamedTuple):
    """An error text for the top of the page, and the name of its input, or empty."""

    text: str
    field: str = ""


class OrderForm(forms.Form):
    """The order without its lines."""

    name = TypedTextField()
    visit_date = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={
            "invalid": "The date of the visit is not valid. Enter a date such as 2027-05-01."
        },
    )
    visit_time = forms.TimeField(
        required=False,
        input_formats=["%H:%M", "%H:%M:%S"],
        error_messages={"invalid": "The time of arrival is not valid. Enter a time such as 10:30."},
    )
    guests = TypedTextField(limit=500)
    currency = CurrencyField(limit=3, default="EUR")
    note = TypedTextField(limit=500)

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today

    def clean_visit_date(self) -> date | None:
        """Return the date, or None if it is empty; refuse a date before today."""
        visit_date: date | None = self.cleaned_data["visit_date"]
        if visit_date and visit_date < self.today:
            raise forms.ValidationError(
                "The date of the visit is in the past. Enter today or a later date."
            )
        return visit_date

    def clean_currency(self) -> str:
        """Return the currency; refuse a text that is not three letters."""
        currency: str = self.cleaned_data["currency"]
        if not (len(currency) == 3 and currency.isalpha()):
            raise forms.ValidationError(
                "The currency is not valid. Enter three letters, such as EUR."
            )
        return currency


class OrderInput:
    """The form and its lines together."""

    def __init__(self, form: OrderForm, lines: BaseOrderLines) -> None:
        self.form, self.lines = form, lines
        # Errors that appear only when the order is saved.
        self.save_errors: list[FormError] = []

    @classmethod
    def empty(cls, today: date) -> "OrderInput":
        """Return a new form, with the currency EUR and the quantity 1 in the first line."""
        return cls(
            OrderForm(initial={"currency": "EUR"}, today=today), order_lines([{"quantity": "1"}])
        )

    @classmethod
    def of_order(cls, order: StaffOrder, today: date) -> "OrderInput":
        """Return a form with the values of an order."""
        initial = {
            "name": order.name,
            "visit_date": order.visit_date.isoformat() if order.visit_date else "",
            "visit_time": order.visit_time.strftime("%H:%M") if order.visit_time else "",
            "guests": ", ".join(order.guests),
            "currency": order.currency or "EUR",
        }
        lines = [
            {"id": line.id, "name": line.name, "quantity": str(line.quantity), "price": line.price}
            for line in order.lines
            if not line.is_removed
        ]
        return cls(OrderForm(initial=initial, today=today), order_lines(lines))

    @classmethod
    def posted(cls, posted: Mapping[str, str], today: date) -> "OrderInput":
        """Return a form with what was submitted."""
        return cls(OrderForm(posted, today=today), posted_order_lines(posted))

    @property
    def errors(self) -> list[FormError]:
        """The errors in the order of the inputs."""
        return self.save_errors or [*_errors(self.form), *_line_errors(self.lines)]

    @property
    def total(self) -> Decimal:
        """The total price of the lines of a valid form."""
        return sum(
            (
                line.cleaned_data["price"] * line.cleaned_data["quantity"]
                for line in self.lines.filled
            ),
            Decimal("0.00"),
        )

    def statement(self) -> dict[str, object]:
        """Return the properties of the order event of a valid form."""
        order = self.form.cleaned_data
        statement: dict[str, object] = {
            "currency": order["currency"],
            "lines": [line_statement(line.cleaned_data) for line in self.lines.filled],
        }
        statement |= {name: order[name] for name in ("name", "note") if order[name]}
        statement |= {
            name: order[name].isoformat() for name in ("visit_date", "visit_time") if order[name]
        }
        guests = [guest.strip() for guest in order["guests"].split(",") if guest.strip()]
        return statement | (
            {"party": [{"name": guest[:100]} for guest in guests[:50]]} if guests else {}
        )


def _errors(form: OrderForm) -> Iterator[FormError]:
    for name, texts in form.errors.items():
        # The currency is a hidden input, so the error must not link to it.
        yield from (FormError(str(text), "" if name == "currency" else name) for text in texts)


def _line_errors(lines: BaseOrderLines) -> Iterator[FormError]:
    if lines.is_valid():
        return
    for line in lines.forms:
        for name, texts in line.errors.items():
            yield from (FormError(str(text), line.add_prefix(name)) for text in texts)
