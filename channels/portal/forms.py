"""The forms of the portal, apart from those of the preferences (channels.pages.forms)."""

from typing import Any

from django import forms

_LARGEST_ID = 2**63 - 1
_LONGEST_CREDENTIAL = 20_000


class CredentialForm(forms.Form):
    """The answer of an authenticator as JSON."""

    credential = forms.CharField(required=False, max_length=_LONGEST_CREDENTIAL)


class AccountForm(forms.Form):
    """The account to open, or the account that is not the customer's, or that all are."""

    account = forms.IntegerField(required=False, min_value=1, max_value=_LARGEST_ID)
    refused = forms.IntegerField(required=False, min_value=1, max_value=_LARGEST_ID)
    join = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """Require one answer."""
        answer = super().clean() or {}
        if not (answer.get("account") or answer.get("refused") or answer.get("join")):
            raise forms.ValidationError("no answer")
        return answer


class AddressesForm(forms.Form):
    """A step on the page of addresses and passkeys.

    `address` is the id of an address, of a change or of a passkey.
    """

    step = forms.ChoiceField(
        choices=[
            (name, name)
            for name in (
                *("add", "prove", "code", "join", "prefer", "remove", "lift", "cancel", "release"),
                *("add-passkey", "rename-passkey", "remove-passkey"),
            )
        ]
    )
    address = forms.IntegerField(required=False, min_value=1, max_value=_LARGEST_ID)
    email = forms.CharField(required=False, max_length=254)
    handle = forms.CharField(required=False, max_length=64)
    code = forms.CharField(required=False, max_length=20)
    name = forms.CharField(required=False, max_length=200)
    credential = forms.CharField(required=False, max_length=_LONGEST_CREDENTIAL)

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class HistoryForm(forms.Form):
    """One more fact of a customer whose address was silent for a year."""

    order_number = forms.CharField(required=False, max_length=100)
    order_total = forms.CharField(required=False, max_length=20)
    card = forms.CharField(required=False, max_length=100)
    last_name = forms.CharField(required=False, max_length=100)
    birth_date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
