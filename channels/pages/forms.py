"""The forms of the Preferences page, which produce consent statements. No database, no clock.

The console uses the same forms for statements that a customer makes to staff.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from django import forms
from django.http import QueryDict

from channels.pages import setting_forms
from channels.pages.statement_forms import (
    CLICK,
    YES_OR_NO,
    StatementForm,
    TextListField,
    consent_statement,
    preference_set,
)
from customers.consent.state import ANY, CHANNELS, MARKETING, Setting, State
from customers.consent.statements import ConsentStatement


class InvalidForm(ValueError):
    """The form has no valid statement; the message is an error code."""


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
    """Return the id of the form's section, which shows its outcome; empty if it has none."""
    if name not in ("consent", "data-use"):
        return name if name in FORMS else ""
    purpose = posted.get("purpose", "").strip()
    return f"consent-{purpose}".replace("_", "-") if purpose in purposes else ""


def is_restriction(statement: ConsentStatement) -> bool:
    """Return whether a statement may forbid messages, so that recently sent ones matter."""
    if statement.kind == "preference.set":
        return statement.value is not True or statement.subject == "only_when_i_ask"
    return statement.kind in ("consent.refused", "consent.withdrawn", "objection.made")


class ConsentForm(StatementForm):
    """Consent to a purpose, or refuse; a refusal after consent is a withdrawal."""

    error_code = "answer"
    purpose = forms.CharField(required=False)
    answer = forms.ChoiceField(choices=YES_OR_NO)
    # The digest of the notice above the buttons.
    notice = forms.CharField(required=False)
    language = forms.CharField(required=False)

    def statements(self) -> list[ConsentStatement]:
        """Return the answer; before a consent, lift an objection to the same purpose."""
        purpose = self.cleaned_data["purpose"]
        notice = {name: self.cleaned_data[name] for name in ("notice", "language")}
        if self.cleaned_data["answer"] == "no":
            consent = self.state.consents.get(purpose)
            was_given = consent is not None and consent.state == "given"
            kind = "consent.withdrawn" if was_given else "consent.refused"
            return [consent_statement(kind, purpose, **notice)]
        # Consent to a purpose lifts an objection to this purpose.
        is_objected = purpose in self.state.objections
        lifted = [consent_statement("objection.lifted", purpose)] if is_objected else []
        return [*lifted, consent_statement("consent.given", purpose, **notice)]


class ObjectionForm(StatementForm):
    """Object to all direct marketing, or lift the objection."""

    error_code = "answer"
    answer = forms.ChoiceField(choices=YES_OR_NO)

    def statements(self) -> list[ConsentStatement]:
        """Return the statement that makes or lifts the objection to marketing."""
        is_made = self.cleaned_data["answer"] == "yes"
        return [consent_statement("objection.made" if is_made else "objection.lifted", MARKETING)]


class ChannelsForm(StatementForm):
    """Switch channels on and off, by topic; only changed switches become statements.

    The form lists the switches that were on when it was rendered, so that a form that was open
    while a switch changed elsewhere does not change it back.
    """

    error_code = "nothing"
    on = TextListField(required=False)
    was = TextListField(required=False)

    def clean(self) -> dict[str, Any]:
        """Add `changed` and `switched_on` to the cleaned values; refuse a form without changes."""
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
        """Return one statement for each changed switch.

        Switching off a channel for all topics also clears the topics that were on.
        """
        statements = []
        for channel, topic, is_switched_on in self.cleaned_data["changed"]:
            statements.append(preference_set("allow", is_switched_on, channel, topic))
            if topic == ANY and not is_switched_on:
                statements += self._cleared_topics(channel)
        return statements

    def _cleared_topics(self, channel: str) -> list[ConsentStatement]:
        """Clear the topics that are on, so that a channel that is switched off is off for all."""
        return [
            consent_statement("preference.cleared", "allow", channel=channel, topic=setting.topic)
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


class DataUseForm(StatementForm):
    """Allow or forbid the use of data for a purpose that an order may need without consent."""

    error_code = "answer"
    answer = forms.ChoiceField(choices=YES_OR_NO)
    purpose = forms.CharField(required=False)

    def statements(self) -> list[ConsentStatement]:
        """Return the preference `data_use`; its topic is the purpose."""
        is_allowed = self.cleaned_data["answer"] == "yes"
        return [preference_set("data_use", is_allowed, topic=self.cleaned_data["purpose"])]


# The forms by the name in the URL to which they are posted.
FORMS: dict[str, type[StatementForm]] = {
    "consent": ConsentForm,
    "objection": ObjectionForm,
    "channels": ChannelsForm,
    "data-use": DataUseForm,
    "only-when-i-ask": setting_forms.OnlyWhenIAskForm,
    "person-first": setting_forms.PersonFirstForm,
    "budget": setting_forms.BudgetForm,
    "quiet-hours": setting_forms.QuietHoursForm,
    "pause": setting_forms.PauseForm,
    "zone": setting_forms.ZoneForm,
    "language": setting_forms.LanguageForm,
    "channel-order": setting_forms.ChannelOrderForm,
}
