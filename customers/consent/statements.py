"""Consent statements and their validation. Pure.

Butler refuses an invalid statement with a code. It never corrects the statement, because the ledger
would then contain a statement that the customer did not make.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NoReturn

import msgspec

from customers.consent.preferences import MalformedValue, MessageCap, QuietHours, parse_value
from customers.consent.state import ANY, CHANNELS, MARKETING, SETTINGS, State

KINDS = (
    "consent.given",
    "consent.refused",
    "consent.withdrawn",
    "objection.made",
    "objection.lifted",
    "preference.set",
    "preference.cleared",
    "signal.received",
)
# The kinds that an import may contain. An import cannot lift or clear an earlier statement.
_IMPORT_KINDS = frozenset(KINDS) - {"objection.lifted", "preference.cleared"}
_MAX_TEXT = 200
_MAX_EVIDENCE = 20
_MAX_MESSAGES = 1000


class InvalidStatement(ValueError):
    """A statement that Butler refuses. `code` names the fault; `detail` explains it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class ConsentStatement(msgspec.Struct, frozen=True):
    """One consent, objection, preference or signal, as a customer states it."""

    # One of KINDS.
    kind: str
    # A purpose, or the name of a setting.
    subject: str
    # preference.set: the value.
    value: object = None
    # preference.*: the scope.
    channel: str = ANY
    topic: str = ANY
    # consent.*: SHA-256 in hex of the text that was shown.
    notice: str = ""
    language: str = ""
    # How it was made: {"kind": "click" | "voice" | "paper" | "rfc8058" | "stop" | ..., ...}
    evidence: Mapping[str, str] = {}
    # None: now, after all earlier statements.
    occurred_at: datetime | None = None
    valid_until: datetime | None = None
    reask_not_before: datetime | None = None


class Declarant(msgspec.Struct, frozen=True):
    """The person or system that submits a statement."""

    is_trusted: bool
    channel: str
    # The actor as the log names it; empty for the customer.
    actor: str = ""

    @property
    def is_import(self) -> bool:
        """True if an import of old statements made the statement."""
        return self.channel == "import"


class PublishedTerms(msgspec.Struct, frozen=True):
    """The purposes, topics and notices that the company published."""

    # The kind of each purpose, "contact" or "use", by the key of the purpose.
    purposes: Mapping[str, str]
    topics: frozenset[str]
    # The purpose and digest of each published notice.
    notices: frozenset[tuple[str, str]]


def validate_statement(
    statement: ConsentStatement, declarant: Declarant, terms: PublishedTerms
) -> None:
    """Raise InvalidStatement if this declarant may not make this statement."""
    if not declarant.is_trusted:
        _refuse("only_claimed", "A publishable key cannot make consent statements.")
    if statement.kind not in KINDS:
        _refuse("unknown_kind", f"There is no kind of statement {statement.kind[:40]!r}.")
    _validate_declarant(statement, declarant)
    _validate_evidence(statement.evidence)
    family = statement.kind.partition(".")[0]
    _VALIDATORS[family](statement, terms)
    if family != "preference" and (
        statement.value is not None or (statement.channel, statement.topic) != (ANY, ANY)
    ):
        _refuse("no_scope", "Only a preference has a value, a channel and a topic.")


def validate_reask(statement: ConsentStatement, declarant: Declarant, state: State) -> None:
    """Raise InvalidStatement if a declarant asked again too early for a refused consent.

    Customers themselves may change their answer at any time. A declarant who submits the new
    answer for a customer has to state that the customer took the initiative.
    """
    consent = state.consents.get(statement.subject)
    # An import does not ask customers, and its consents do not replace a refusal.
    if (
        statement.kind != "consent.given"
        or not declarant.actor
        or declarant.is_import
        or consent is None
    ):
        return
    if statement.evidence.get("initiative") != "customer" and consent.is_reask_paused(
        _moment(statement)
    ):
        until = consent.reask_not_before
        detail = f"The customer refused. Do not ask again before {until:%Y-%m-%d}."
        hint = "If the customer took the initiative, send evidence.initiative=customer."
        _refuse("asked_again", f"{detail} {hint}")


def _moment(statement: ConsentStatement) -> datetime:
    assert statement.occurred_at is not None
    return statement.occurred_at


def _validate_declarant(statement: ConsentStatement, declarant: Declarant) -> None:
    if declarant.is_import and statement.kind not in _IMPORT_KINDS:
        _refuse("import_lifts_nothing", "An import cannot lift or clear a customer's statement.")
    # The company must be able to prove the statement later.
    if (declarant.actor or declarant.is_import) and not statement.evidence.get("kind"):
        _refuse("no_evidence", "evidence.kind is missing: how did the customer state this?")


def _validate_evidence(evidence: Mapping[str, str]) -> None:
    if len(evidence) > _MAX_EVIDENCE:
        _refuse("too_much_evidence", f"evidence has at most {_MAX_EVIDENCE} fields.")
    for name, value in evidence.items():
        _validate_text(name, "evidence")
        _validate_text(value, "evidence")


def _validate_text(value: object, field: str) -> None:
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT:
        _refuse("bad_text", f"{field} has to be text of 1 to {_MAX_TEXT} characters.")
    if not value.isprintable():
        _refuse("bad_text", f"{field} contains unprintable characters.")


def _validate_consent(statement: ConsentStatement, terms: PublishedTerms) -> None:
    if statement.subject not in terms.purposes:
        _refuse("unknown_purpose", f"There is no purpose {statement.subject[:40]!r}.")
    is_published = (statement.subject, statement.notice) in terms.notices
    if not is_published and (statement.notice or statement.kind == "consent.given"):
        _refuse("unknown_notice", "notice has to be the digest of a notice of this purpose.")


def _validate_objection(statement: ConsentStatement, terms: PublishedTerms) -> None:
    if statement.subject != MARKETING and statement.subject not in terms.purposes:
        _refuse("unknown_purpose", f"There is no purpose {statement.subject[:40]!r} to object to.")


def _validate_signal(statement: ConsentStatement, terms: PublishedTerms) -> None:
    _validate_text(statement.subject, "The name of a signal")


def _validate_preference(statement: ConsentStatement, terms: PublishedTerms) -> None:
    if statement.subject not in SETTINGS:
        _refuse("unknown_setting", f"There is no setting {statement.subject[:40]!r}.")
    if statement.channel not in (ANY, *CHANNELS):
        _refuse("unknown_channel", f"There is no channel {statement.channel[:40]!r}.")
    if statement.subject == "data_use":
        if terms.purposes.get(statement.topic) != "use":
            _refuse("unknown_purpose", "The topic of data_use has to be the key of a purpose.")
    elif statement.topic != ANY and statement.topic not in terms.topics:
        _refuse("unknown_topic", f"There is no topic {statement.topic[:40]!r}.")
    _validate_value(statement)


def _validate_value(statement: ConsentStatement) -> None:
    is_set = statement.kind == "preference.set"
    if not is_set and statement.value is not None:
        _refuse("bad_value", "preference.cleared has no value.")
    # A cleared preference needs a valid scope, too; parse_value checks it.
    value = statement.value if is_set else _SAMPLE_VALUES[statement.subject]
    try:
        parsed = parse_value(
            statement.subject, value, channel=statement.channel, topic=statement.topic
        )
    except MalformedValue as error:
        _refuse(
            "bad_value",
            f"{statement.subject}: {error}. Valid: {_VALUE_DESCRIPTIONS[statement.subject]}.",
        )
    else:
        _validate_bounds(statement.subject, parsed)


def _validate_bounds(name: str, value: object) -> None:
    """Raise InvalidStatement for a value that parses but makes no sense."""
    match value:
        case MessageCap(limit=limit) if limit > _MAX_MESSAGES:
            _refuse("bad_value", f"{name} is not valid. Valid: {_VALUE_DESCRIPTIONS[name]}.")
        case QuietHours(days=days) if len(set(days)) < len(days):
            _refuse("bad_value", f"{name} contains the same day twice.")
        case tuple() if name == "channel_order":
            if len(set(value)) < len(value) or not set(value) <= set(CHANNELS):
                _refuse("bad_value", f"{name} is not valid. Valid: {_VALUE_DESCRIPTIONS[name]}.")


_VALIDATORS: dict[str, Callable[[ConsentStatement, PublishedTerms], None]] = {
    "consent": _validate_consent,
    "objection": _validate_objection,
    "preference": _validate_preference,
    "signal": _validate_signal,
}
_YES_OR_NO = "true or false"
_VALUE_DESCRIPTIONS = {
    "allow": _YES_OR_NO,
    "budget": f'{{"most": 0 to {_MAX_MESSAGES}, "per": "day", "week" or "month"}}',
    "quiet_hours": '{"from": "22:00", "to": "08:00"}, optional "days" from 1 (Monday) to 7',
    "pause": "a time with its UTC offset, such as 2027-04-18T09:00:00+02:00",
    "only_when_i_ask": _YES_OR_NO,
    "zone": "the IANA name of a time zone, such as Europe/Amsterdam",
    "language": "a language code, such as nl",
    "channel_order": f"a list of some of {', '.join(CHANNELS)}, each at most once",
    "person_first": _YES_OR_NO,
    "data_use": _YES_OR_NO,
}
# A valid value of each setting.
_SAMPLE_VALUES: dict[str, object] = {
    **dict.fromkeys(SETTINGS, True),
    "budget": {"most": 1, "per": "day"},
    "quiet_hours": {"from": "22:00", "to": "08:00"},
    "pause": "2027-04-18T09:00:00+02:00",
    "zone": "UTC",
    "language": "nl",
    "channel_order": ["inbox"],
}


def _refuse(code: str, detail: str) -> NoReturn:
    raise InvalidStatement(code, detail)
