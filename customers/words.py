"""What customers can say of what we may do, and whether it can be understood. Pure.

Nothing here is guessed at: a word that does not fit is refused with a code, because what is
kept instead would be somebody's say about a person who said something else.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import msgspec

from customers.control import ANY, CHANNELS, MARKETING, SETTINGS

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
    elif not value.isprintable():
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
    scoped = word.subject in _SCOPED
    if word.channel != ANY and not (scoped and word.channel in CHANNELS):
        _refuse("unknown_channel", f"{word.subject} cannot be set for {word.channel[:40]!r}.")
    _check_topic(word, known, scoped=scoped)
    if word.kind == "preference.cleared":
        if word.value is not None:
            _refuse("bad_value", "What is cleared has no value.")
    elif not _VALUES[word.subject](word.value):
        _refuse("bad_value", f"{word.subject} takes {_MEANT[word.subject]}.")


def _check_topic(word: Word, known: Known, *, scoped: bool) -> None:
    if word.subject == "data_use":
        if known.purposes.get(word.topic) != "use":
            _refuse("unknown_purpose", "data_use is set for a purpose: its key is the topic.")
    elif word.topic != ANY and not (scoped and word.topic in known.topics):
        _refuse("unknown_topic", f"{word.subject} cannot be set for {word.topic[:40]!r}.")


_OF: dict[str, Callable[[Word, Known], None]] = {
    "consent": _check_consent,
    "objection": _check_objection,
    "preference": _check_preference,
    "signal": _check_signal,
}
_SCOPED = frozenset({"allow", "budget", "quiet_hours", "pause"})


def _is_yes_or_no(value: Any) -> bool:
    return isinstance(value, bool)


def _is_budget(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"most", "per"}:
        return False
    most = value["most"]
    is_count = isinstance(most, int) and not isinstance(most, bool)
    return is_count and 0 <= most <= _MOST_MESSAGES and value["per"] in ("day", "week", "month")


def _is_quiet_hours(value: Any) -> bool:
    if not isinstance(value, dict) or not {"from", "to"} <= value.keys() <= _QUIET:
        return False
    if not (_is_clock(value["from"]) and _is_clock(value["to"])) or value["from"] == value["to"]:
        return False
    days = value.get("days", [1])
    if not isinstance(days, list) or not all(type(day) is int for day in days):
        return False
    return 0 < len(days) == len(_DAYS.intersection(days))


_QUIET = {"from", "to", "days"}
_DAYS = frozenset(range(1, 8))
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")


def _is_clock(value: object) -> bool:
    return isinstance(value, str) and _CLOCK.match(value) is not None


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_zone(value: Any) -> bool:
    return isinstance(value, str) and value in _zones()


@cache
def _zones() -> frozenset[str]:
    # Reads a folder tree each time it is asked.
    return frozenset(available_timezones())


def _is_language(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 8 and value.replace("-", "").isalpha()


def _is_order(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) == len({str(one) for one in value})
        and all(one in CHANNELS for one in value)
    )


_VALUES: dict[str, Callable[[Any], bool]] = {
    "allow": _is_yes_or_no,
    "budget": _is_budget,
    "quiet_hours": _is_quiet_hours,
    "pause": _is_moment,
    "only_when_i_ask": _is_yes_or_no,
    "zone": _is_zone,
    "language": _is_language,
    "channel_order": _is_order,
    "person_first": _is_yes_or_no,
    "data_use": _is_yes_or_no,
}
_MEANT = {
    "allow": "true or false",
    "budget": f'{{"most": 0 to {_MOST_MESSAGES}, "per": "day", "week" or "month"}}',
    "quiet_hours": '{"from": "22:00", "to": "08:00"}, and "days" as numbers, 1 is Monday',
    "pause": "a moment with its zone, such as 2027-04-18T09:00:00+02:00",
    "only_when_i_ask": "true or false",
    "zone": "the IANA name of a zone, such as Europe/Amsterdam",
    "language": "the code of a language, such as nl",
    "channel_order": f"some of {', '.join(CHANNELS)}, each once",
    "person_first": "true or false",
    "data_use": "true or false",
}


def _refuse(code: str, detail: str) -> None:
    raise NotUnderstood(code, detail)
