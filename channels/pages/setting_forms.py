"""The forms that set or clear one preference for all channels and topics. No database, no clock."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict

from channels.pages.statement_forms import (
    YES_OR_NO,
    StatementForm,
    TextListField,
    consent_statement,
    preference_set,
)
from customers.consent.preferences import PERIODS, MalformedValue, parse_value
from customers.consent.state import CHANNELS
from customers.consent.statements import ConsentStatement

# The choices for the length of a pause, in days.
PAUSES = (1, 7, 30, 90)
_MESSAGE_LIMIT = 1000


class SettingForm(StatementForm):
    """Set or clear one preference for all channels and topics."""

    setting: ClassVar[str]

    def __init__(self, posted: QueryDict, **context: Any) -> None:
        super().__init__(posted, **context)
        self.is_clearing = posted.get("do", "").strip() == "clear"
        if self.is_clearing:
            # Clearing a preference needs no value.
            self.fields.clear()

    def statements(self) -> list[ConsentStatement]:
        """Return the statement that sets the preference, or clears it."""
        if self.is_clearing:
            return [consent_statement("preference.cleared", self.setting)]
        return [preference_set(self.setting, self.value())]

    def value(self) -> object:
        """Return the value of the preference."""
        raise NotImplementedError


class YesNoForm(SettingForm):
    error_code = "answer"
    answer = forms.ChoiceField(choices=YES_OR_NO)

    def value(self) -> bool:
        return bool(self.cleaned_data["answer"] == "yes")


class OnlyWhenIAskForm(YesNoForm):
    setting = "only_when_i_ask"


class PersonFirstForm(YesNoForm):
    setting = "person_first"


class BudgetForm(SettingForm):
    setting = error_code = "budget"
    most = forms.RegexField(r"^[0-9]{1,9}\Z", strip=True)
    per = forms.ChoiceField(choices=[(period, period) for period in PERIODS])

    def clean_most(self) -> int:
        """Return the number of messages, at most 1000."""
        limit = int(self.cleaned_data["most"])
        if limit > _MESSAGE_LIMIT:
            raise forms.ValidationError("too many messages")
        return limit

    def value(self) -> dict[str, object]:
        """Return the limit as `most` and the period as `per`: day, week or month."""
        return {"most": self.cleaned_data["most"], "per": self.cleaned_data["per"]}


class QuietHoursForm(SettingForm):
    setting = error_code = "quiet_hours"
    day = TextListField()

    def __init__(self, posted: QueryDict, **context: Any) -> None:
        super().__init__(posted, **context)
        if not self.is_clearing:
            # Added here, because `from` cannot be the name of an attribute.
            self.fields |= {"from": forms.CharField(), "to": forms.CharField()}

    def clean_day(self) -> list[int]:
        """Return the valid days in order (ISO: 1 is Monday); refuse a form without any."""
        days = sorted({int(day) for day in self.cleaned_data["day"] if day in tuple("1234567")})
        if not days:
            raise forms.ValidationError("no day")
        return days

    def value(self) -> dict[str, object]:
        """Return `from` and `to` cut to HH:MM, and `days` unless all seven are chosen."""
        hours = {name: self.cleaned_data[name][:5] for name in ("from", "to")}
        days = self.cleaned_data["day"]
        return hours | ({"days": days} if len(days) < 7 else {})


class PauseForm(SettingForm):
    setting = error_code = "pause"
    days = forms.TypedChoiceField(choices=[(days, days) for days in PAUSES], coerce=int)

    def value(self) -> str:
        """Return the end of the pause as ISO 8601 text."""
        return (self.now + timedelta(days=self.cleaned_data["days"])).isoformat()


class ZoneForm(SettingForm):
    setting = error_code = "zone"
    zone = forms.CharField()

    def clean_zone(self) -> object:
        """Return the name of the zone; refuse a name that is not in the time zone database."""
        try:
            return parse_value("zone", self.cleaned_data["zone"])
        except MalformedValue:
            raise forms.ValidationError("unknown zone") from None

    def value(self) -> object:
        return self.cleaned_data["zone"]


class LanguageForm(SettingForm):
    setting = error_code = "language"
    language = forms.CharField(required=False)

    def value(self) -> object:
        return self.cleaned_data["language"]


class ChannelOrderForm(SettingForm):
    setting = error_code = "channel_order"
    channel = TextListField()

    def clean_channel(self) -> list[str]:
        """Return the channels in the posted order; refuse unknown or repeated ones."""
        channels = [channel for channel in self.cleaned_data["channel"] if channel]
        is_unique = len(set(channels)) == len(channels)
        if not channels or not is_unique or not set(channels) <= set(CHANNELS):
            raise forms.ValidationError("the channels are not distinct known channels")
        return channels

    def value(self) -> object:
        return self.cleaned_data["channel"]
