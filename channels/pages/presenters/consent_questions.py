"""Consent questions for the customer's page. No database, no request."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.pages.presenters.decisions import anchor
from customers.consent.state import MARKETING, Consent, State
from customers.queries.consent_shapes import PurposeShape

# The customer's answer to a consent question; its date follows.
CONSENT_STATES = {
    "given": gettext_noop("You said yes."),
    "refused": gettext_noop("You said no."),
    "withdrawn": gettext_noop("You withdrew your consent."),
    "expired": gettext_noop("Your consent expired, so it counts as a no."),
    "invalidated": gettext_noop("Your consent is no longer valid, so it counts as a no."),
}


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """One purpose, the notice that asks for consent to it, and the current answer."""

    key: str
    # The id of its section on the page.
    anchor: str
    name: str
    description: str
    notice: str
    digest: str
    language: str
    is_yes: bool
    is_unanswered: bool
    answer: str
    answered_at: datetime | None
    valid_until: datetime | None
    # After a refusal, staff do not ask again before this time, unless the customer asks.
    reask_not_before: datetime | None
    # The ledger entry whose receipt can be fetched; empty if there is no answer.
    entry_id: str
    is_objected: bool
    is_data_use: bool
    # For a use of data that an order may need without consent: whether the customer allows it.
    is_data_use_allowed: bool


def consent_question(
    purpose: PurposeShape, state: State, now: datetime, *, is_of_age: bool
) -> ConsentQuestion:
    """Return the question of a purpose with the current answer."""
    consent = state.consents.get(purpose.key) or _NO_ANSWER
    is_yes = consent.state == "given" and is_of_age
    is_answered = bool(consent.entry)
    uses = [s for s in state.settings if s.name == "data_use" and s.topic == purpose.key]
    return ConsentQuestion(
        key=purpose.key,
        anchor=anchor(f"consent:{purpose.key}"),
        name=purpose.name,
        description=purpose.description,
        notice=purpose.notice.text if purpose.notice else "",
        digest=purpose.notice.digest if purpose.notice else "",
        language=purpose.notice.language if purpose.notice else "",
        is_yes=is_yes,
        is_unanswered=not is_answered,
        answer=_(CONSENT_STATES[consent.state])
        if is_answered
        else _("We have not asked you yet, so it counts as a no."),
        answered_at=consent.occurred_at if is_answered else None,
        valid_until=consent.valid_until if is_yes else None,
        reask_not_before=consent.reask_not_before if consent.is_reask_paused(now) else None,
        entry_id=consent.entry,
        # An objection to all advertising overrides any answer here.
        is_objected=purpose.key in state.objections
        or (purpose.kind == "contact" and MARKETING in state.objections),
        is_data_use=purpose.kind == "use",
        is_data_use_allowed=all(use.value is not False for use in uses),
    )


_NO_ANSWER = Consent("refused", "", datetime.min)  # noqa: DTZ901  # means no answer; pages never show it
