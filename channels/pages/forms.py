"""The forms on the page of preferences; each becomes consent statements. No database, no clock.

The console has the same forms, for statements that a customer makes to staff.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec
from django import forms
from django.http import QueryDict

from butler.decisions.context import applicable_settings
from customers.consent.preferences import PERIODS, MalformedValue, parse_value
from customers.consent.state import ANY, CHANNELS, MARKETING, Setting, State
from customers.consent.statements import ConsentStatement

# The evidence of a statement that the customer made on this page.
CLICK = {"kind": "click", "page": "/preferences/"}
# For how many days one can pause.
PAUSES = (1, 7, 30, 90)
_MESSAGE_LIMIT = 1000
_YES_OR_NO = (("yes", "yes"), ("no", "no"))


class InvalidForm(ValueError):
    """A form that cannot become a statement; the message is an error code."""


def read_statements(
    name: str,
    posted: QueryDict,
    state: State,
    *,
    topics: Collection[str],
    now: datetime,
    evidence: Mapping[str, str] = CLICK,
) -> list[ConsentStatement]:
    """Return the statements of the form of this name; raise InvalidForm if it has none."""
    if name not in FORMS:
        raise InvalidForm("setting")
    form = FORMS[name](posted, state=state, topics=topics, now=now)
    if not form.is_valid():
        raise InvalidForm(form.error_code)
    return [
        msgspec.structs.replace(statement, evidence=evidence) for statement in form.statements()
    ]


def anchor_of(name: str, posted: QueryDict, purposes: Collection[str]) -> str:
    """Return the id of the form's place on the page, where its outcome is shown; empty: none."""
    if name not in ("consent", "data-use"):
        return name if name in FORMS else ""
    purpose = posted.get("purpose", "").strip()
    return f"consent-{purpose}".replace("_", "-") if purpose in purposes else ""


def is_restriction(statement: ConsentStatement) -> bool:
    """Return whether a statement may forbid messages, so that those already sent matter."""
    if statement.kind == "preference.set":
        return statement.value is not True or statement.subject == "only_when_i_ask"
    return statement.kind in ("consent.refused", "consent.withdrawn", "objection.made")


def is_on(settings: tuple[Setting, ...], channel: str, topic: str) -> bool:
    """Return whether a channel is on for a topic, as decisions read the settings."""
    wishes = applicable_settings(settings, channel, topic).get("allow", ())
    return all(wish.value is not False for wish in wishes)


class TextListField(forms.Field):
    """All values posted under one name, unchecked."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: object) -> list[str]:
        return list(value) if isinstance(value, list | tuple) else []


class StatementForm(forms.Form):
    """A form that becomes consent statements."""

    error_code: ClassVar[str]

    def __init__(
        self, posted: QueryDict, *, state: State, topics: Collection[str], now: datetime
    ) -> None:
        super().__init__(posted)
        self.state, self.topics, self.now = state, topics, now

    def statements(self) -> list[ConsentStatement]:
        """Return the statements of a valid form."""
        raise NotImplementedError


class ConsentForm(StatementForm):
    """Consent to a purpose, or refuse; a refusal after consent is a withdrawal."""

    error_code = "answer"
    purpose = forms.CharField(required=False)
    answer = forms.ChoiceField(choices=_YES_OR_NO)
    # The digest of the text above the buttons.
    notice = forms.CharField(required=False)
    language = forms.CharField(required=False)

    def statements(self) -> list[ConsentStatement]:
        purpose = self.cleaned_data["purpose"]
        notice = {name: self.cleaned_data[name] for name in ("notice", "language")}
        if self.cleaned_data["answer"] == "no":
            consent = self.state.consents.get(purpose)
            was_given = consent is not None and consent.state == "given"
            kind = "consent.withdrawn" if was_given else "consent.refused"
            return [_statement(kind, purpose, **notice)]
        # Consent to a purpose lifts an objection to this purpose.
        is_objected = purpose in self.state.objections
        lifted = [_statement("objection.lifted", purpose)] if is_objected else []
        return [*lifted, _statement("consent.given", purpose, **notice)]


class ObjectionForm(StatementForm):
    """Object to all direct marketing, or lift the objection."""

    error_code = "answer"
    answer = forms.ChoiceField(choices=_YES_OR_NO)

    def statements(self) -> list[ConsentStatement]:
        is_made = self.cleaned_data["answer"] == "yes"
        return [_statement("objection.made" if is_made else "objection.lifted", MARKETING)]


class ChannelsForm(StatementForm):
    """Switch channels on and off, by topic; only changed switches become statements.

    The form lists the switches that were on when it was rendered, so that a form that was open
    while a switch changed elsewhere does not change it back.
    """

    error_code = "nothing"
    on = TextListField(required=False)
    was = TextListField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        on, was = set(cleaned["on"]), set(" ".join(cleaned["was"]).split())
        cleaned["changed"] = [
            (channel, topic, f"{channel}:{topic}" in on)
            for channel in CHANNELS
            for topic in (ANY, *self.topics)
            if (f"{channel}:{topic}" in on) != (f"{channel}:{topic}" in was)
        ]
        if not cleaned["changed"]:
            raise forms.ValidationError("no switch was changed")
        cleaned["switched_on"] = on - was
        return cleaned

    def statements(self) -> list[ConsentStatement]:
        statements = []
        for channel, topic, is_switched_on in self.cleaned_data["changed"]:
            statements.append(_set("allow", is_switched_on, channel, topic))
            if topic == ANY and not is_switched_on:
                statements += self._cleared_topics(channel)
        return statements

    def _cleared_topics(self, channel: str) -> list[ConsentStatement]:
        """Clear the topics that are on, so that a channel that is switched off is off for all."""
        return [
            _statement("preference.cleared", "allow", channel=channel, topic=setting.topic)
            for setting in _topics_switched_on(self.state.settings, channel)
            if f"{channel}:{setting.topic}" not in self.cleaned_data["switched_on"]
        ]


def _topics_switched_on(settings: Iterable[Setting], channel: str) -> list[Setting]:
    return [
        setting
        for setting in settings
        if setting.name == "allow"
        and setting.channel == channel
        and setting.topic != ANY
        and setting.value is True
    ]


class SettingForm(StatementForm):
    """Set or clear one preference for every channel and topic."""

    setting: ClassVar[str]

    def __init__(self, posted: QueryDict, **context: Any) -> None:
        super().__init__(posted, **context)
        self.is_clearing = posted.get("do", "").strip() == "clear"
        if self.is_clearing:
            # What is cleared needs no value.
            self.fields.clear()

    def statements(self) -> list[ConsentStatement]:
        if self.is_clearing:
            return [_statement("preference.cleared", self.setting)]
        return [_set(self.setting, self.value())]

    def value(self) -> object:
        """Return the value of the preference."""
        raise NotImplementedError


class YesNoForm(SettingForm):
    error_code = "answer"
    answer = forms.ChoiceField(choices=_YES_OR_NO)

    def value(self) -> bool:
        return bool(self.cleaned_data["answer"] == "yes")


class OnlyWhenIAskForm(YesNoForm):
    setting = "only_when_i_ask"


class PersonFirstForm(YesNoForm):
    setting = "person_first"


class DataUseForm(StatementForm):
    """Allow or forbid the use of data for a purpose that an order may need without consent."""

    error_code = "answer"
    answer = forms.ChoiceField(choices=_YES_OR_NO)
    purpose = forms.CharField(required=False)

    def statements(self) -> list[ConsentStatement]:
        is_allowed = self.cleaned_data["answer"] == "yes"
        return [_set("data_use", is_allowed, topic=self.cleaned_data["purpose"])]


class BudgetForm(SettingForm):
    setting = error_code = "budget"
    most = forms.RegexField(r"^[0-9]{1,9}\Z", strip=True)
    per = forms.ChoiceField(choices=[(period, period) for period in PERIODS])

    def clean_most(self) -> int:
        limit = int(self.cleaned_data["most"])
        if limit > _MESSAGE_LIMIT:
            raise forms.ValidationError("too many")
        return limit

    def value(self) -> dict[str, object]:
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
        days = sorted({int(day) for day in self.cleaned_data["day"] if day in tuple("1234567")})
        if not days:
            raise forms.ValidationError("no day")
        return days

    def value(self) -> dict[str, object]:
        hours = {name: self.cleaned_data[name][:5] for name in ("from", "to")}
        days = self.cleaned_data["day"]
        return hours | ({"days": days} if len(days) < 7 else {})


class PauseForm(SettingForm):
    setting = error_code = "pause"
    days = forms.TypedChoiceField(choices=[(days, days) for days in PAUSES], coerce=int)

    def value(self) -> str:
        return (self.now + timedelta(days=self.cleaned_data["days"])).isoformat()


class ZoneForm(SettingForm):
    setting = error_code = "zone"
    zone = forms.CharField()

    def clean_zone(self) -> object:
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
        channels = [channel for channel in self.cleaned_data["channel"] if channel]
        is_unique = len(set(channels)) == len(channels)
        if not channels or not is_unique or not set(channels) <= set(CHANNELS):
            raise forms.ValidationError("not channels, each once")
        return channels

    def value(self) -> object:
        return self.cleaned_data["channel"]


# By the name in the address that the form is posted to.
FORMS: dict[str, type[StatementForm]] = {
    "consent": ConsentForm,
    "objection": ObjectionForm,
    "channels": ChannelsForm,
    "data-use": DataUseForm,
    "only-when-i-ask": OnlyWhenIAskForm,
    "person-first": PersonFirstForm,
    "budget": BudgetForm,
    "quiet-hours": QuietHoursForm,
    "pause": PauseForm,
    "zone": ZoneForm,
    "language": LanguageForm,
    "channel-order": ChannelOrderForm,
}


def _set(name: str, value: object, channel: str = ANY, topic: str = ANY) -> ConsentStatement:
    return _statement("preference.set", name, value=value, channel=channel, topic=topic)


def _statement(kind: str, subject: str, **fields: object) -> ConsentStatement:
    return ConsentStatement(kind=kind, subject=subject, evidence=CLICK, **fields)  # type: ignore[arg-type]  # its own fields
