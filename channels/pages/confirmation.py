"""The box that a reader ticks on the page of a link from a message.

Some mail scanners open the links of a message and submit the forms behind them. They leave the box
empty, so they change nothing.
"""

from django import forms
from django.http import HttpRequest


class ConfirmationForm(forms.Form):
    """The ticked box."""

    sure = forms.BooleanField()


def is_confirmed(request: HttpRequest) -> bool:
    """Tell whether the reader ticked the box of the form."""
    return ConfirmationForm(request.POST).is_valid()
