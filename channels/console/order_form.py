"""The form with which staff enter or change an order: its fields, its lines, its errors. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, cast

from django import forms
from django.forms.formsets import INITIAL_FORM_COUNT, TOTAL_FORM_COUNT, BaseFormSet

from channels.console.presenters.orders import StaffOrder
from channels.pages.money import parse_amount

# How many lines a form reads, shows at least, and leaves empty at least.
LINES_LIMIT, LINES_SHOWN, EMPTY_LINES = 60, 6, 2
_LINE_FIELDS = ("id", "name", "quantity", "price")


class FormError(NamedTuple):
    """A text for the top of the page, and the name of the input it is about; empty: of none."""

    text: str
    field: str = ""


class TypedTextField(forms.CharField):
    """Typed text, without characters that cannot be printed, cut to a length.

    A page that shows the form again shows this cleaned text.
    """

    def __init__(self, *, limit: int = 200, default: str = "") -> None:
        super().__init__(required=False)
        self.limit, self.default = limit, default

    def to_python(self, value: object) -> str:
        text = "".join(char for char in str(value or "") if char.isprintable())
        return text.strip()[: self.limit] or self.default

    def bound_data(self, posted: object, initial: object) -> str:
        # An input that was not submitted stays empty, without the default.
        return "" if posted is None else self.to_python(posted)


class PriceField(TypedTextField):
    def to_python(self, value: object) -> str:
        return super().to_python(value).replace(",", ".")


class CurrencyField(TypedTextField):
    def to_python(self, value: object) -> str:
        return super().to_python(value).upper()


class OrderForm(forms.Form):
    """The order without its lines."""

    name = TypedTextField()
    visit_date = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "The date of the visit is not a date."},
    )
    visit_time = forms.TimeField(
        required=False,
        input_formats=["%H:%M", "%H:%M:%S"],
        error_messages={"invalid": "The time of arrival is not a time, such as 10:30."},
    )
    guests = TypedTextField(limit=500)
    currency = CurrencyField(limit=3, default="EUR")
    note = TypedTextField(limit=500)

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today

    def clean_visit_date(self) -> date | None:
        visit_date: date | None = self.cleaned_data["visit_date"]
        if visit_date and visit_date < self.today:
            raise forms.ValidationError("The date of the visit is over.")
        return visit_date

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        if not (len(currency) == 3 and currency.isalpha()):
            raise forms.ValidationError("A currency has three letters.")
        return currency


class OrderLineForm(forms.Form):
    """One line; `id` is set if the order has the line already."""

    id = TypedTextField()
    name = TypedTextField()
    quantity = TypedTextField(limit=6, default="1")
    price = PriceField(limit=12)

    def add_prefix(self, field_name: str) -> str:
        return f"{self.prefix}_{field_name}"

    def has_changed(self) -> bool:
        """Return whether the line has a name or a price; other lines are ignored."""
        return any(
            self.fields[field].to_python(self.data.get(self.add_prefix(field), ""))
            for field in ("name", "price")
        )

    def clean_name(self) -> str:
        if not self.cleaned_data["name"]:
            raise forms.ValidationError("A line has a price, but no name.")
        return str(self.cleaned_data["name"])

    def clean_quantity(self) -> int:
        text = self.cleaned_data["quantity"]
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 1000):
            raise forms.ValidationError(f"How many of {self._label}? A number from 1 to 999.")
        return int(text)

    def clean_price(self) -> Decimal:
        price = parse_amount(self.cleaned_data["price"])
        if price is None:
            text = f"The price of {self._label} is not an amount, such as 34.50."
            raise forms.ValidationError(text)
        return price

    @property
    def _label(self) -> str:
        return self.cleaned_data.get("name") or "it"


class BaseOrderLines(BaseFormSet):  # type: ignore[type-arg]  # no generic class at run time
    """The lines of an order. Input names are line0_name, line1_name and so on."""

    def add_prefix(self, index: int | str) -> str:
        return f"line{index}"

    def clean(self) -> None:
        if not self.filled:
            self.forms[0].add_error("name", "There is nothing in the order yet.")

    @property
    def filled(self) -> list[OrderLineForm]:
        """The lines that are not empty."""
        lines: list[OrderLineForm] = self.forms
        return [line for line in lines if line.has_changed()]


_OrderLines = forms.formset_factory(
    OrderLineForm, formset=BaseOrderLines, max_num=LINES_LIMIT + EMPTY_LINES
)


class OrderInput:
    """The form and its lines together."""

    def __init__(self, form: OrderForm, lines: BaseOrderLines) -> None:
        self.form, self.lines = form, lines
        # Errors that appear only when the order is saved.
        self.save_errors: list[FormError] = []

    @classmethod
    def empty(cls, today: date) -> "OrderInput":
        return cls(OrderForm(initial={"currency": "EUR"}, today=today), _lines([{"quantity": "1"}]))

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
        return cls(OrderForm(initial=initial, today=today), _lines(lines))

    @classmethod
    def posted(cls, posted: Mapping[str, str], today: date) -> "OrderInput":
        """Return a form with what was submitted; empty lines between others are left out."""
        filled = [line for number in range(LINES_LIMIT) if (line := _posted_line(posted, number))]
        counts = {
            f"line-{TOTAL_FORM_COUNT}": str(len(filled) + _empty_lines(len(filled))),
            f"line-{INITIAL_FORM_COUNT}": "0",
        }
        inputs = {
            f"line{number}_{field}": text
            for number, line in enumerate(filled)
            for field, text in line.items()
        }
        lines = _OrderLines(counts | inputs, prefix="line")
        return cls(OrderForm(posted, today=today), cast(BaseOrderLines, lines))

    @property
    def errors(self) -> list[FormError]:
        """The errors in the order of the inputs."""
        return self.save_errors or [*_errors(self.form), *_line_errors(self.lines)]

    @property
    def total(self) -> Decimal:
        """What the lines of a valid form cost."""
        return sum(
            (
                line.cleaned_data["price"] * line.cleaned_data["quantity"]
                for line in self.lines.filled
            ),
            Decimal("0.00"),
        )

    def statement(self) -> dict[str, object]:
        """Return what a valid form states about an order."""
        order = self.form.cleaned_data
        statement: dict[str, object] = {
            "currency": order["currency"],
            "lines": [_line_statement(line.cleaned_data) for line in self.lines.filled],
        }
        statement |= {name: order[name] for name in ("name", "note") if order[name]}
        statement |= {
            name: order[name].isoformat() for name in ("visit_date", "visit_time") if order[name]
        }
        guests = [guest.strip() for guest in order["guests"].split(",") if guest.strip()]
        return statement | (
            {"party": [{"name": guest[:100]} for guest in guests[:50]]} if guests else {}
        )


def _lines(initial: list[dict[str, str]]) -> BaseOrderLines:
    lines = cast(BaseOrderLines, _OrderLines(initial=initial, prefix="line"))
    lines.extra = _empty_lines(len(initial))
    return lines


def _empty_lines(filled: int) -> int:
    return max(EMPTY_LINES, LINES_SHOWN - filled)


def _posted_line(posted: Mapping[str, str], number: int) -> dict[str, str]:
    """Return the inputs of a line by field; nothing if it is empty."""
    line = {field: posted.get(f"line{number}_{field}", "") for field in _LINE_FIELDS}
    is_filled = OrderLineForm(
        {f"line{number}_{field}": text for field, text in line.items()}, prefix=f"line{number}"
    ).has_changed()
    return line if is_filled else {}


def _errors(form: OrderForm) -> Iterator[FormError]:
    for name, texts in form.errors.items():
        # The currency is a hidden input, which nobody can go to.
        yield from (FormError(str(text), "" if name == "currency" else name) for text in texts)


def _line_errors(lines: BaseOrderLines) -> Iterator[FormError]:
    if lines.is_valid():
        return
    for line in lines.forms:
        for name, texts in line.errors.items():
            yield from (FormError(str(text), line.add_prefix(name)) for text in texts)


def _line_statement(line: Mapping[str, Any]) -> dict[str, object]:
    return {
        **({"line_id": line["id"]} if line["id"] else {}),
        "name": line["name"],
        "quantity": line["quantity"],
        "unit_price": str(line["price"]),
    }
