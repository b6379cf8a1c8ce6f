"""The lines of the form with which staff enter or change an order. Reads no database."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.forms.formsets import INITIAL_FORM_COUNT, TOTAL_FORM_COUNT, BaseFormSet

from channels.console.fields import PriceField, TypedTextField
from channels.pages.money import parse_amount

# The most lines that a form reads, the fewest lines that it shows, the fewest empty lines.
LINES_LIMIT, LINES_SHOWN, EMPTY_LINES = 60, 6, 2
_LINE_FIELDS = ("id", "name", "quantity", "price")


class OrderLineForm(forms.Form):
    """One line; `id` is set if the order has the line already."""

    id = TypedTextField()
    name = TypedTextField()
    quantity = TypedTextField(limit=6, default="1")
    price = PriceField(limit=12)

    def add_prefix(self, field_name: str) -> str:
        """Return the name of the input, such as `line0_name`."""
        return f"{self.prefix}_{field_name}"

    def has_changed(self) -> bool:
        """Return whether the line has a name or a price; other lines are ignored."""
        return any(
            self.fields[field].to_python(self.data.get(self.add_prefix(field), ""))
            for field in ("name", "price")
        )

    def clean_name(self) -> str:
        if not self.cleaned_data["name"]:
            raise forms.ValidationError("A line has a price but no product. Enter the product.")
        return str(self.cleaned_data["name"])

    def clean_quantity(self) -> int:
        """Return the quantity, from 1 to 999."""
        text = self.cleaned_data["quantity"]
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 1000):
            raise forms.ValidationError(
                f"The quantity of {self._label} is not valid. Enter a number from 1 to 999."
            )
        return int(text)

    def clean_price(self) -> Decimal:
        """Return the amount with two decimals; an empty price is 0."""
        price = parse_amount(self.cleaned_data["price"])
        if price is None:
            text = f"The price of {self._label} is not valid. Enter an amount such as 34.50."
            raise forms.ValidationError(text)
        return price

    @property
    def _label(self) -> str:
        return self.cleaned_data.get("name") or "this line"


class BaseOrderLines(BaseFormSet):  # type: ignore[type-arg]  # no generic class at run time
    """The lines of an order. Input names are line0_name, line1_name and so on."""

    def add_prefix(self, index: int | str) -> str:
        return f"line{index}"

    def clean(self) -> None:
        """Add an error to the first line if all lines are empty."""
        if not self.filled:
            self.forms[0].add_error(
                "name", "The order has no lines. Enter at least one product with its price."
            )

    @property
    def filled(self) -> list[OrderLineForm]:
        """The lines that are not empty."""
        lines: list[OrderLineForm] = self.forms
        return [line for line in lines if line.has_changed()]


_OrderLines = forms.formset_factory(
    OrderLineForm, formset=BaseOrderLines, max_num=LINES_LIMIT + EMPTY_LINES
)


def order_lines(initial: list[dict[str, str]]) -> BaseOrderLines:
    """Return lines with these values, and empty ones below them."""
    lines = cast(BaseOrderLines, _OrderLines(initial=initial, prefix="line"))
    lines.extra = _empty_lines(len(initial))
    return lines


def posted_order_lines(posted: Mapping[str, str]) -> BaseOrderLines:
    """Return the lines that were submitted; empty lines between others are left out."""
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
    return cast(BaseOrderLines, _OrderLines(counts | inputs, prefix="line"))


def _empty_lines(filled: int) -> int:
    return max(EMPTY_LINES, LINES_SHOWN - filled)


def _posted_line(posted: Mapping[str, str], number: int) -> dict[str, str]:
    """Return the inputs of a line by field, or an empty dict for an empty line."""
    line = {field: posted.get(f"line{number}_{field}", "") for field in _LINE_FIELDS}
    is_filled = OrderLineForm(
        {f"line{number}_{field}": text for field, text in line.items()}, prefix=f"line{number}"
    ).has_changed()
    return line if is_filled else {}


def line_statement(line: Mapping[str, Any]) -> dict[str, object]:
    """Return a valid line as a line of an order event."""
    return {
        **({"line_id": line["id"]} if line["id"] else {}),
        "name": line["name"],
        "quantity": line["quantity"],
        "unit_price": str(line["price"]),
    }
