"""What customers can say of what we may do, and whether it can be understood. Pure.

Nothing here is guessed at: a word that does not fit is refused with a code, because what is
kept instead would be somebody's say about a person who said something else.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NoReturn

import msgspec

from customers.consent.preferences import Cap, Hours, Malformed, meaning
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
# What an import may bring: nothing that lifts what a customer said.
_FROM_LISTS = frozenset(KINDS) - {"objection.lifted", "preference.cleared"}
_LONGEST = 200
_MOST_EVIDENCE = 20
_MOST_MESSAGES = 1000


class NotUnderstood(ValueError):
    """A word that cannot be taken; `code` says what is wrong with it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class Word(msgspec.Struct, frozen=True):
    """One thing a customer says."""

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
    # How it was said: {"kind": "click" | "voice" | "paper" | "rfc8058" | "stop" | ..., ...}
    evidence: Mapping[str, str] = {}
    # None: just now, after everything that we have heard.
    occurred_at: datetime | None = None
    valid_until: datetime | None = None
    reask_not_before: datetime | None = None


class Speaker(msgspec.Struct, frozen=True):
    """Who brings the word, as far as it matters for what they may say."""

    is_trusted: bool
    channel: str
    # As on the log; empty: the customer.
    actor: str = ""

    @property
    def is_import(self) -> bool:
        return self.channel == "import"


class Known(msgspec.Struct, frozen=True):
    """What words can be about."""

    # By key: "contact" or "use".
    purposes: Mapping[str, str]
    topics: frozenset[str]
    # Purpose and digest of what was published.
    notices: frozenset[tuple[str, str]]


def check(word: Word, speaker: Speaker, known: Known) -> None:
    """Raise NotUnderstood unless this word can be taken from this speaker."""
    if not speaker.is_trusted:
        _refuse("only_claimed", "What a publishable key says is no customer's word.")
    if word.kind not in KINDS:
        _refuse("unknown_kind", f"There is no {word.kind[:40]!r}.")
    _check_speaker(word, speaker)
    _check_evidence(word.evidence)
    of = word.kind.partition(".")[0]
    _OF[of](word, known)
    if of != "preference" and (word.value is not None or (word.channel, word.topic) != (ANY, ANY)):
        _refuse("no_scope", "Only a preference has a value, a channel and a topic.")


def check_asked(word: Word, speaker: Speaker, state: State) -> None:
    """Refuse a yes that somebody asked for again although the question was to rest.

    Customers may change their minds whenever they like; whoever speaks for them says that it
    was the customer who brought it up.
    """
    said = state.consents.get(word.subject)
    # An import asked nobody; what it brings lifts no refusal anyway.
    if word.kind != "consent.given" or not speaker.actor or speaker.is_import or said is None:
        return
    if word.evidence.get("initiative") != "customer" and said.rests(_moment(word)):
        until = said.reask_not_before
        detail = f"They said no, and are not asked again before {until:%Y-%m-%d}."
        _refuse("asked_again", f"{detail} If they brought it up: evidence.initiative=customer.")


def _moment(word: Word) -> datetime:
    assert word.occurred_at is not None
    return word.occurred_at


def _check_speaker(word: Word, speaker: Speaker) -> None:
    if speaker.is_import and word.kind not in _FROM_LISTS:
        _refuse("import_lifts_nothing", "A list cannot take back what a customer said.")
    # Without it nobody could ever show that it was said.
    if (speaker.actor or speaker.is_import) and not word.evidence.get("kind"):
        _refuse("no_evidence", "Whoever speaks for a customer says how the customer said it.")


def _check_evidence(evidence: Mapping[str, str]) -> None:
    if len(evidence) > _MOST_EVIDENCE:
        _refuse("too_much_evidence", f"At most {_MOST_EVIDENCE} facts.")
    for name, value in evidence.items():
        _check_text(name, "evidence")
        _check_text(value, "evidence")


def _check_text(value: object, what: str) -> None:
    if not isinstance(value, str) or not value or len(value) > _LONGEST:
        _refuse("bad_text", f"{what} is text of 1 to {_LONGEST} characters.")
    if not value.isprintable():
        _refuse("bad_text", f"{what} has characters that cannot be read.")


def _check_consent(word: Word, known: Known) -> None:
    if word.subject not in known.purposes:
        _refuse("unknown_purpose", f"Nobody is asked for {word.subject[:40]!r}.")
    is_told = (word.subject, word.notice) in known.notices
    if not is_told and (word.notice or word.kind == "consent.given"):
        _refuse("unknown_notice", "Say which published text was shown for this purpose.")


def _check_objection(word: Word, known: Known) -> None:
    if word.subject != MARKETING and word.subject not in known.purposes:
        _refuse("unknown_purpose", f"There is no purpose {word.subject[:40]!r} to object to.")


def _check_signal(word: Word, known: Known) -> None:
    _check_text(word.subject, "The name of a signal")


def _check_preference(word: Word, known: Known) -> None:
    if word.subject not in SETTINGS:
        _refuse("unknown_setting", f"There is no setting {word.subject[:40]!r}.")
    if word.channel not in (ANY, *CHANNELS):
        _refuse("unknown_channel", f"There is no channel {word.channel[:40]!r}.")
    if word.subject == "data_use":
        if known.purposes.get(word.topic) != "use":
            _refuse("unknown_purpose", "data_use is set for a purpose: its key is the topic.")
    elif word.topic != ANY and word.topic not in known.topics:
        _refuse("unknown_topic", f"There is no topic {word.topic[:40]!r}.")
    _check_value(word)


def _check_value(word: Word) -> None:
    is_set = word.kind == "preference.set"
    if not is_set and word.value is not None:
        _refuse("bad_value", "What is cleared has no value.")
    # What is cleared is cleared at a scope that it can have.
    value = word.value if is_set else _SOME[word.subject]
    try:
        meant = meaning(word.subject, value, channel=word.channel, topic=word.topic)
    except Malformed as error:
        _refuse("bad_value", f"{word.subject}: {error}. It takes {_MEANT[word.subject]}.")
    else:
        _check_bounds(word.subject, meant)


def _check_bounds(name: str, meant: object) -> None:
    """Refuse what can be read but nobody means."""
    match meant:
        case Cap(most=most) if most > _MOST_MESSAGES:
            _refuse("bad_value", f"{name} takes {_MEANT[name]}.")
        case Hours(days=days) if len(set(days)) < len(days):
            _refuse("bad_value", f"{name}: a day is named twice.")
        case tuple() if name == "channel_order":
            if len(set(meant)) < len(meant) or not set(meant) <= set(CHANNELS):
                _refuse("bad_value", f"{name} takes {_MEANT[name]}.")


_OF: dict[str, Callable[[Word, Known], None]] = {
    "consent": _check_consent,
    "objection": _check_objection,
    "preference": _check_preference,
    "signal": _check_signal,
}
_YES_OR_NO = "true or false"
_MEANT = {
    "allow": _YES_OR_NO,
    "budget": f'{{"most": 0 to {_MOST_MESSAGES}, "per": "day", "week" or "month"}}',
    "quiet_hours": '{"from": "22:00", "to": "08:00"}, and "days" as numbers, 1 is Monday',
    "pause": "a moment with its zone, such as 2027-04-18T09:00:00+02:00",
    "only_when_i_ask": _YES_OR_NO,
    "zone": "the IANA name of a zone, such as Europe/Amsterdam",
    "language": "the code of a language, such as nl",
    "channel_order": f"some of {', '.join(CHANNELS)}, each once",
    "person_first": _YES_OR_NO,
    "data_use": _YES_OR_NO,
}
# A value that each setting can have.
_SOME: dict[str, object] = {
    **dict.fromkeys(SETTINGS, True),
    "budget": {"most": 1, "per": "day"},
    "quiet_hours": {"from": "22:00", "to": "08:00"},
    "pause": "2027-04-18T09:00:00+02:00",
    "zone": "UTC",
    "language": "nl",
    "channel_order": ["inbox"],
}


def _refuse(code: str, detail: str) -> NoReturn:
    raise NotUnderstood(code, detail)
