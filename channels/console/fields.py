"""Form fields for text that staff type. Reads no database."""

import re
from typing import Any

from django import forms


class TypedTextField(forms.CharField):
    """Typed text, without characters that cannot be printed, cut to a length.

    A page that shows the form again shows this cleaned text.
    """

    def __init__(self, *, limit: int = 200, default: str = "") -> None:
        super().__init__(required=False)
        self.limit, self.default = limit, default

    def to_python(self, value: object) -> str:
        """Return the cleaned text, or the default if it is empty."""
        text = "".join(char for char in str(value or "") if char.isprintable())
        return text.strip()[: self.limit] or self.default

    def bound_data(self, posted: object, initial: object) -> str:
        """Return the text for showing the form again; empty if the input was not submitted."""
        # An input that was not submitted stays empty, without the default.
        return "" if posted is None else self.to_python(posted)


class PriceField(TypedTextField):
    def to_python(self, value: object) -> str:
        """Return the cleaned text, with a decimal point for a comma."""
        return super().to_python(value).replace(",", ".")


class CurrencyField(TypedTextField):
    def to_python(self, value: object) -> str:
        """Return the cleaned text in capital letters."""
        return super().to_python(value).upper()


class ShortTextField(forms.CharField):
    """Text without spaces around it. Text above the maximum length is cut there."""

    def __init__(self, *, limit: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value))[: self.limit]


class MatchingField(forms.CharField):
    """Text that matches a pattern from its start. The field strips no spaces."""

    def __init__(self, pattern: re.Pattern[str], *, error: str, **kwargs: Any) -> None:
        self._pattern, self._error = pattern, error
        super().__init__(strip=False, error_messages={"required": error}, **kwargs)

    def validate(self, value: Any) -> None:
        """Raise ValidationError for text that does not match."""
        super().validate(value)
        if value and not self._pattern.match(value):
            raise forms.ValidationError(self._error)
