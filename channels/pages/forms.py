"""What a form on the page of preferences says, as words for the ledger. No database, no clock.

The desk has the same forms, for what somebody says on the phone.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from butler.decisions.context import applicable_settings
from customers.consent.preferences import PERIODS, MalformedValue, parse_value
from customers.consent.state import ANY, CHANNELS, MARKETING, Setting, State
from customers.consent.statements import ConsentStatement

# How the customer said it: pressed a button on this page.
CLICK = {"kind": "click", "page": "/preferences/"}
# For how long one can pause, by the days it takes.
PAUSES = (1, 7, 30, 90)
_FLAGS = frozenset({"only_when_i_ask", "person_first"})
_MOST = 1000

# The fields of a form: each name with everything that was given for it.
type Form = Mapping[str, Sequence[str]]


class Unreadable(ValueError):
    """A form that says nothing we can put on the ledger; the message is a code."""


def words(
    what: str,
    form: Form,
    state: State,
    *,
    topics: Collection[str],
    now: datetime,
    evidence: Mapping[str, str] = CLICK,
) -> list[ConsentStatement]:
    """Read the form of this name; raise Unreadable where it says nothing."""
    if what == "consent":
        said = consent(form, state, notice=_one(form, "notice"), language=_one(form, "language"))
    elif what == "objection":
        said = objection(form)
    elif what == "channels":
        said = channels(form, state, topics)
    else:
        said = setting(what.replace("-", "_"), form, now)
    return [msgspec.structs.replace(word, evidence=evidence) for word in said]


def place(what: str, form: Form, purposes: Collection[str]) -> str:
    """Return the id of where a form stands: one reads there what came of it. Empty: nowhere."""
    if what not in ("consent", "data-use"):
        return what if what in _PLACES else ""
    purpose = _one(form, "purpose")
    return f"consent-{purpose}".replace("_", "-") if purpose in purposes else ""


def narrows(word: ConsentStatement) -> bool:
    """Tell whether a word may forbid something, so that it matters what had already left."""
    if word.kind == "preference.set":
        return word.value is not True or word.subject == "only_when_i_ask"
    return word.kind in ("consent.refused", "consent.withdrawn", "objection.made")


def consent(form: Form, state: State, *, notice: str, language: str) -> list[ConsentStatement]:
    """Say yes or no to a purpose; a no after a yes is a withdrawal.

    `notice` is the digest of the text that stood above the buttons.
    """
    purpose, answer = _one(form, "purpose"), _one(form, "answer")
    if answer == "no":
        known = state.consents.get(purpose)
        was_given = known is not None and known.state == "given"
        kind = "consent.withdrawn" if was_given else "consent.refused"
        return [_word(kind, purpose, notice=notice, language=language)]
    if answer != "yes":
        raise Unreadable("answer")
    # Who says yes to the very thing takes back what was said against it.
    lifted = [_word("objection.lifted", purpose)] if purpose in state.objections else []
    return [*lifted, _word("consent.given", purpose, notice=notice, language=language)]


def objection(form: Form) -> list[ConsentStatement]:
    """Object to all direct marketing, or take that back."""
    answer = _one(form, "answer")
    if answer not in ("yes", "no"):
        raise Unreadable("answer")
    return [_word("objection.made" if answer == "yes" else "objection.lifted", MARKETING)]


def channels(form: Form, state: State, topics: Collection[str]) -> list[ConsentStatement]:
    """Switch channels on and off, by topic; only what was switched is said.

    The form tells which switches were on when it was shown, so that one that lay open while
    something else changed does not change it back.
    """
    cells = [(channel, topic) for channel in CHANNELS for topic in (ANY, *topics)]
    on, was = set(form.get("on", ())), set(" ".join(form.get("was", ())).split())
    words = []
    for channel, topic in cells:
        name = f"{channel}:{topic}"
        if (name in on) == (name in was):
            continue
        words.append(_set("allow", name in on, channel, topic))
        if topic == ANY and name not in on:
            words += _cleared_below(channel, state.settings, on - was)
    if not words:
        raise Unreadable("nothing")
    return words


def _cleared_below(
    channel: str, settings: Iterable[Setting], kept: set[str]
) -> list[ConsentStatement]:
    # What is off as a whole must not stay on in part, only because that part was once set.
    return [
        _word("preference.cleared", "allow", channel=channel, topic=setting.topic)
        for setting in settings
        if setting.name == "allow"
        and setting.channel == channel
        and setting.topic != ANY
        and setting.value is True
        and f"{channel}:{setting.topic}" not in kept
    ]


def is_on(settings: tuple[Setting, ...], channel: str, topic: str) -> bool:
    """Tell whether a channel is on for a topic, read exactly as it is obeyed."""
    wishes = applicable_settings(settings, channel, topic).get("allow", ())
    return all(wish.value is not False for wish in wishes)


def setting(name: str, form: Form, now: datetime) -> list[ConsentStatement]:
    """Set or clear one preference that holds everywhere."""
    if _one(form, "do") == "clear":
        if name not in _READ and name not in _FLAGS:
            raise Unreadable("setting")
        return [_word("preference.cleared", name)]
    if name in _FLAGS:
        return [_set(name, _flag(form))]
    if name == "data_use":
        return [_set(name, _flag(form), topic=_one(form, "purpose"))]
    if name not in _READ:
        raise Unreadable("setting")
    return [_set(name, _READ[name](form, now))]


def _flag(form: Form) -> bool:
    answer = _one(form, "answer")
    if answer not in ("yes", "no"):
        raise Unreadable("answer")
    return answer == "yes"


def _budget(form: Form, now: datetime) -> object:
    most, per = _one(form, "most"), _one(form, "per")
    if not (most.isascii() and most.isdigit() and int(most[:9]) <= _MOST) or per not in PERIODS:
        raise Unreadable("budget")
    return {"most": int(most), "per": per}


def _quiet_hours(form: Form, now: datetime) -> object:
    start, end = _one(form, "from")[:5], _one(form, "to")[:5]
    days = sorted({int(day) for day in form.get("day", ()) if day in tuple("1234567")})
    if not start or not end or not days:
        raise Unreadable("quiet_hours")
    return {"from": start, "to": end} | ({"days": days} if len(days) < 7 else {})


def _pause(form: Form, now: datetime) -> object:
    days = _one(form, "days")
    if days not in {str(one) for one in PAUSES}:
        raise Unreadable("pause")
    return (now + timedelta(days=int(days))).isoformat()


def _zone(form: Form, now: datetime) -> object:
    name = _one(form, "zone")
    try:
        return parse_value("zone", name)
    except MalformedValue:
        raise Unreadable("zone") from None


def _language(form: Form, now: datetime) -> object:
    return _one(form, "language")


def _channel_order(form: Form, now: datetime) -> object:
    wanted = [channel for channel in form.get("channel", ()) if channel]
    if not wanted or len(set(wanted)) < len(wanted) or not set(wanted) <= set(CHANNELS):
        raise Unreadable("channel_order")
    return wanted


_READ: dict[str, Callable[[Form, datetime], object]] = {
    "budget": _budget,
    "quiet_hours": _quiet_hours,
    "pause": _pause,
    "zone": _zone,
    "language": _language,
    "channel_order": _channel_order,
}


_PLACES = frozenset(
    {"objection", "channels", *(name.replace("_", "-") for name in (*_FLAGS, *_READ))}
)


def _one(form: Form, name: str) -> str:
    values = form.get(name) or [""]
    return values[-1].strip()


def _set(name: str, value: object, channel: str = ANY, topic: str = ANY) -> ConsentStatement:
    return _word("preference.set", name, value=value, channel=channel, topic=topic)


def _word(kind: str, subject: str, **more: object) -> ConsentStatement:
    return ConsentStatement(kind=kind, subject=subject, evidence=CLICK, **more)  # type: ignore[arg-type]  # its own fields
