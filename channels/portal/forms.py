"""The forms of the portal, apart from those of the preferences (channels.pages.forms)."""

from django import forms


class AccountForm(forms.Form):
    """The choice of one of several accounts."""

    account = forms.IntegerField(min_value=1, max_value=2**63 - 1)
