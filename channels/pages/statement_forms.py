"""The base of the forms that produce consent statements. No database, no clock."""

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

from django import forms
from django.http import QueryDict

from customers.consent.state import ANY, State
from customers.consent.statements import ConsentStatement

# The evidence of a statement that the customer made on this page.
CLICK = {"kind": "click", "page": "/preferences/"}
YES_OR_NO = (("yes", "yes"), ("no", "no"))


class TextListField(forms.Field):
    """All values posted under one name, unchecked."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: object) -> list[str]:
        """Return the posted values; an empty list if there are none."""
        return list(value) if isinstance(value, list | tuple) else []


class StatementForm(forms.Form):
    """A form that produces consent statements."""

    error_code: ClassVar[str]

    def __init__(
        self, posted: QueryDict, *, state: State, topics: Collection[str], now: datetime
    ) -> None:
        super().__init__(posted)
        self.state, self.topics, self.now = state, topics, now

    def statements(self) -> list[ConsentStatement]:
        """Return the statements of a valid form."""
        raise NotImplementedError


def preference_set(
    name: str, value: object, channel: str = ANY, topic: str = ANY
) -> ConsentStatement:
    """Return the statement that sets a preference, by default for all channels and topics."""
    return consent_statement("preference.set", name, value=value, channel=channel, topic=topic)


def consent_statement(kind: str, subject: str, **fields: object) -> ConsentStatement:
    """Return a statement that the customer made on the page."""
    return ConsentStatement(kind=kind, subject=subject, evidence=CLICK, **fields)  # type: ignore[arg-type]  # its own fields
