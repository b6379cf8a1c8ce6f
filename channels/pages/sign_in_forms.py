"""The forms of the sign-in pages of portal and console.

No form refuses a text: the actions of the sign-in validate it and limit the number of attempts.
"""

from collections.abc import Sequence

from django import forms
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


class AddressForm(forms.Form):
    """The mailbox or the phone of a customer who asks for a code, as she typed it."""

    email = forms.CharField(required=False)


class CodeForm(forms.Form):
    """A code from a mail, an SMS or an authenticator app, without the spaces that were typed or copied."""

    code = forms.CharField(required=False)

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class SentCodeForm(AddressForm, CodeForm):
    """A code from a mail or an SMS, with the address and the handle of the request for the code."""

    handle = forms.CharField(required=False)


class PasswordForm(AddressForm):
    """The address and the password of a staff member."""

    password = forms.CharField(required=False, strip=False)


class RecoveryCodesForm(CodeForm):
    """A code, and whether to show the recovery codes or to renew them."""

    do = forms.CharField(required=False)


class NextPageForm(forms.Form):
    """The path of the page to show after the sign-in."""

    next = forms.CharField(required=False)


def field_texts(form: forms.Form) -> dict[str, str]:
    """Return the text of each field of a submitted form. A text that cannot be used is empty."""
    form.is_valid()
    return dict.fromkeys(form.fields, "") | form.cleaned_data


def next_page(request: HttpRequest, prefixes: Sequence[str]) -> str:
    """Return the page to show after the sign-in; empty if no prefix of our pages matches."""
    submitted = request.POST if request.POST.get("next") else request.GET
    address = field_texts(NextPageForm(submitted))["next"]
    is_ours = address.startswith(tuple(prefixes)) and url_has_allowed_host_and_scheme(address, None)
    return address if is_ours else ""
