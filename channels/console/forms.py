"""The small forms of the console's buttons. The forms of an order are in `order_form`."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.timezone import make_aware

from butler.actions.topics import KEY, STATUS
from butler.models import StaffTask
from channels.console.fields import MatchingField, ShortTextField
from channels.console.presenters.labels import EVENT_KINDS, SOURCE_CHANNELS
from channels.pages.presenters.events import names_with_headline
from customers.actions.refiling import MAX_REASON_LENGTH
from customers.consent.preferences import TIME_OF_DAY
from customers.queries.timeline import TimelineFilter


class ReasonForm(forms.Form):
    """The reason that staff give for an action; it may be empty."""

    reason = ShortTextField(limit=200, required=False)


class OrderAnswerForm(ReasonForm):
    """The answer to one request about an order, or to all its open requests if the field is empty."""

    request = forms.UUIDField(required=False)
    # True if the form is on the list of requests, so that the answer leads back to the list.
    from_list = forms.BooleanField(required=False)


class DayInput(forms.DateInput):
    """A date picker of the browser. It sends a day as 2026-12-31."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimelineForm(forms.Form):
    """The filters of a timeline. All of them are optional."""

    q = ShortTextField(label="Text", limit=100, required=False)
    kind = forms.ChoiceField(
        label="Kind", choices=[("", "All kinds"), *EVENT_KINDS.items()], required=False
    )
    channel = forms.ChoiceField(
        label="Channel", choices=[("", "All channels"), *SOURCE_CHANNELS.items()], required=False
    )
    since = forms.DateField(label="From", required=False, widget=DayInput)
    until = forms.DateField(label="To", required=False, widget=DayInput)

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        values = super().clean() or {}
        since, until = values.get("since"), values.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day is before the first day.")
        return values

    def filters(self) -> TimelineFilter:
        """Return the filters of a valid form. The days are those of the company."""
        values = self.cleaned_data
        since, until = values["since"], values["until"]
        text = values["q"]
        return TimelineFilter(
            kind=values["kind"] or None,
            channel=values["channel"] or None,
            text=text or None,
            text_names=names_with_headline(text) if text else (),
            since=_start_of(since) if since else None,
            until=_start_of(until + timedelta(days=1)) if until else None,
        )


def _start_of(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


class StopAutomationForm(forms.Form):
    """Which automation to stop, and why."""

    key = ShortTextField(limit=64, required=False)
    reason = ShortTextField(
        limit=200,
        error_messages={
            "required": "The reason is missing. Enter a reason for your colleagues.",
        },
    )


class ResumeAutomationForm(forms.Form):
    """Which automation to resume."""

    key = ShortTextField(limit=64, required=False)


class NumberingForm(forms.Form):
    """Whether two sources number their customers separately, and which one gets its own space."""

    answer = forms.ChoiceField(
        choices=(("separate", "Move to own space"), ("same", "Keep one space")),
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "The answer is missing. Choose an answer."
        ),
    )
    source = forms.IntegerField(required=False)
    reason = ShortTextField(
        limit=200,
        error_messages={
            "required": "The reason is missing. Enter a reason for your colleagues.",
        },
    )


class RefilingForm(forms.Form):
    """The identifier of another customer, and why an event belongs there."""

    KINDS = (
        ("email", "E-mail"),
        ("phone", "Phone"),
        ("card", "Card"),
        ("user_id", "Customer number"),
        ("order", "Order number"),
    )

    kind = forms.ChoiceField(
        choices=KINDS,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "The kind is missing. Choose a kind."
        ),
    )
    value = ShortTextField(
        limit=200,
        error_messages={
            "required": "The identifier is missing. Enter an address, a card or a number.",
        },
    )
    reason = ShortTextField(
        limit=MAX_REASON_LENGTH,
        error_messages={
            "required": "The reason is missing. Enter a reason for your colleagues.",
        },
    )


class DecisionForm(forms.Form):
    """An identifier, and the identifier or the record to merge it with or separate it from."""

    _CHANGED = "The page was open too long. Load it again, and decide once more."

    decision = forms.ChoiceField(
        choices=(("merge", "Merge"), ("separate", "Separate")),
        error_messages=dict.fromkeys(("required", "invalid_choice"), _CHANGED),
    )
    first = forms.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), _CHANGED),
    )
    second_id = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _CHANGED),
    )
    second_record = forms.UUIDField(required=False, error_messages={"invalid": _CHANGED})
    reason = ShortTextField(
        limit=MAX_REASON_LENGTH,
        error_messages={"required": "The reason is missing. Enter a reason for your colleagues."},
    )

    def clean(self) -> None:
        """Require the other side."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("second_id") and not cleaned.get("second_record"):
            self.add_error("second_record", "The other record is missing. Choose a record.")


_EVIDENCE_MISSING = "The evidence is missing. Write down what you saw or heard."


class ProposalForm(forms.Form):
    """An address to add, an address to remove, or both; and the evidence for it."""

    adds = ShortTextField(limit=254, required=False)
    removes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            "The page was open too long. Load it again, and choose once more.",
        ),
    )
    evidence = ShortTextField(limit=1000, error_messages={"required": _EVIDENCE_MISSING})

    def clean(self) -> None:
        """Require an address."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("adds") and not cleaned.get("removes"):
            self.add_error(
                "adds", "The address is missing. Enter a new one, or choose one to remove."
            )


class ChangeDecisionForm(forms.Form):
    """The decision about a change of addresses, the state that the page showed, and the evidence."""

    _CHANGED = "The page was open too long. Load it again, and decide once more."

    outcome = forms.ChoiceField(
        choices=(("apply", "Let it pass"), ("cancel", "Cancel change")),
        error_messages=dict.fromkeys(("required", "invalid_choice"), _CHANGED),
    )
    state = forms.ChoiceField(
        choices=[(state, state) for state in ("proposed", "pending", "frozen")],
        error_messages=dict.fromkeys(("required", "invalid_choice"), _CHANGED),
    )
    evidence = ShortTextField(limit=1000, error_messages={"required": _EVIDENCE_MISSING})


class TaskOutcomeForm(forms.Form):
    """How a task ended."""

    outcome = forms.ChoiceField(
        choices=StaffTask.Outcome.choices,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "The outcome is missing. Choose an outcome."
        ),
    )
    note = ShortTextField(limit=2000, required=False, strip=False)


class TopicStatusForm(forms.Form):
    """A new status of a topic, with what customers read of it."""

    _INVALID_KEY = "The key is not valid. Enter a kind and a name, such as ride:night-mail."
    _INVALID_STATUS = (
        "The status is not valid. Enter one word in small letters, such as open or down."
    )

    key = MatchingField(KEY, error=_INVALID_KEY)
    status = MatchingField(STATUS, error=_INVALID_STATUS)
    name = ShortTextField(limit=200, required=False)
    reason = ShortTextField(limit=200, required=False)
    until = MatchingField(
        TIME_OF_DAY, required=False, error="The time is not valid. Enter a time such as 15:30."
    )
    # The serial of the status on the page; without one, the topic is new.
    serial = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=10**18,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            "The page was open too long. Load it again, and set the status once more.",
        ),
    )

    @property
    def facts(self) -> dict[str, str]:
        """Return the texts that are not empty."""
        texts = {name: self.cleaned_data[name] for name in ("name", "reason", "until")}
        return {name: text for name, text in texts.items() if text}


def first_error(form: forms.Form) -> str:
    """Return the first error of an invalid form as text."""
    return next(str(error) for errors in form.errors.values() for error in errors)
