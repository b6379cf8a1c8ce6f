"""Scenarios of the decision table: the default world, and the phrases that change it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from butler.types import Address, Budget, Contact, Facts, Relation, Rules, Use
from customers.consent.preferences import QuietHours
from customers.consent.state import Consent, Setting, State

# A Wednesday in week 15: 14:00 in Amsterdam.
NOW = datetime(2027, 4, 14, 12, 0, tzinfo=UTC)
SHOWN = "5f" * 32
CLASSES = (
    "legal_duty",
    "service_critical",
    "service",
    "answer",
    "relationship",
    "marketing",
    "peer",
)
_ACTS = {
    "legal_duty": {"topic": "notices"},
    "service_critical": {"topic": "visit", "relation": "order:A-1001"},
    "service": {"topic": "visit", "relation": "order:A-1001"},
    "answer": {"topic": "questions", "relation": "request:R-7"},
    "relationship": {"topic": "tips", "purpose": "tips"},
    "marketing": {"topic": "offers", "purpose": "offers"},
    "peer": {"topic": "peers", "purpose": "peers"},
    "use": {"purpose": "combine"},
}


def _yes(purpose: str) -> dict:
    then = NOW - timedelta(days=200)
    return {"state": "given", "entry": f"said-{purpose}", "occurred_at": then, "notice": SHOWN}


@dataclass
class World:
    """Noor, for whom everything is allowed until words change it."""

    act: dict
    now: datetime = NOW
    consents: dict = field(
        default_factory=lambda: {
            purpose: _yes(purpose) for purpose in ("offers", "tips", "peers", "combine", "visits")
        }
    )
    objections: dict = field(default_factory=dict)
    settings: list = field(default_factory=list)
    restricted: str = ""
    addresses: dict = field(
        default_factory=lambda: {
            "email": Address("noor@example.com"),
            "sms": Address("+31612345678"),
            "phone": Address("+31612345678"),
        }
    )
    relations: dict = field(
        default_factory=lambda: {
            name: Relation(
                kind, datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC), name
            )
            for kind, name in (
                ("order", "order:A-1001"),
                ("visit", "visit:2027-04-18"),
                ("request", "request:R-7"),
            )
        }
    )
    facts: dict = field(
        default_factory=lambda: {
            "customer": "noor",
            "version": 7,
            "record_status": "live",
            "is_of_age": True,
            "used": {},
            "pause_switches": frozenset(),
            "zone": "Europe/Amsterdam",
            "language": "nl",
        }
    )
    rules: dict = field(
        default_factory=lambda: {
            "version": "rules-1",
            "budgets": {},
            "quiet_hours": {},
            "plausible_zones": ("Europe/Amsterdam", "Europe/Copenhagen", "Europe/Stockholm"),
            "purposes": {
                **dict.fromkeys(("offers", "tips", "peers"), "contact"),
                **dict.fromkeys(("combine", "visits"), "use"),
            },
            "topics": frozenset({"notices", "visit", "questions", "tips", "offers", "peers"}),
            "channels": frozenset({"inbox", "email", "sms", "phone"}),
        }
    )

    def decide_arguments(self) -> tuple[Contact | Use, Facts, Rules, datetime]:
        """Return the arguments of decide()."""
        state = State(
            {key: Consent(**value) for key, value in self.consents.items()},
            self.objections,
            tuple(self.settings),
            self.restricted,
        )
        computed_facts = {
            "consent_state": state,
            "addresses": self.addresses,
            "relations": self.relations,
        }
        act = Use(**self.act) if "message_class" not in self.act else Contact(**self.act)
        return act, Facts(**(computed_facts | self.facts)), Rules(**self.rules), self.now

    def relate(self, **changes: object) -> None:
        """Change the relation that the act names, where it names one."""
        name = self.act.get("relation", "")
        if name in self.relations:
            old = self.relations[name]
            fields = {"kind": old.kind, "since": old.since, "until": old.until} | changes
            self.relations[name] = Relation(**fields, evidence=name)

    def consent(self, **changes: object) -> None:
        purpose = self.act.get("purpose", "")
        if purpose in self.consents:
            self.consents[purpose] |= changes


def world(of: str, words: str) -> World:
    """Return the world for one class of message (or "use") after these words."""
    act: dict = dict(_ACTS[of])
    if of != "use":
        act |= {
            "message_class": of,
            "channel": "email",
            "occurred_at": NOW - timedelta(minutes=1),
            "expires_at": NOW + timedelta(days=1),
            "automation": "reminder",
        }
    scene = World(act)
    for phrase in filter(None, (phrase.strip() for phrase in words.split(";"))):
        for pattern, change in _PHRASES.items():
            if match := re.fullmatch(pattern, phrase):
                change(scene, *match.groups())
                break
        else:
            raise ValueError(f"nobody knows what {phrase!r} means")
    return scene


def moment(text: str) -> datetime:
    """Read "2027-04-14 12:00"; a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _at(scene: World, text: str) -> None:
    """Move the whole scene to another time."""
    scene.now = moment(text)
    scene.act |= {
        "occurred_at": scene.now - timedelta(minutes=1),
        "expires_at": scene.now + timedelta(days=1),
    }


def _set(scene: World, name: str, value: str, channel: str | None, topic: str | None) -> None:
    entry = f"set-{len(scene.settings)}"
    scene.settings.append(
        Setting(name, json.loads(value), entry, channel or "*", topic or "*"),
    )


def _quiet(scene: World, start: str, end: str, days: str | None) -> None:
    hours: dict = {"from": start, "to": end}
    if days:
        hours["days"] = [int(day) for day in days]
    _set(scene, "quiet_hours", json.dumps(hours), None, None)


_MOMENT = r"(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?)"
_PHRASES: dict[str, Callable[..., object]] = {
    # Before what names a relation: this one is no name.
    r"relation gone": lambda w: w.relations.pop(w.act.get("relation"), None),
    # The act
    r"(topic|channel|purpose|relation|automation|message_class) (\S+)": lambda w, name, to: (
        w.act.update({name: to})
    ),
    r"no (purpose|relation)": lambda w, name: w.act.update({name: ""}),
    rf"at {_MOMENT}": _at,
    rf"(happened|expires) {_MOMENT}": lambda w, which, to: w.act.update(
        {{"happened": "occurred_at", "expires": "expires_at"}[which]: moment(to)}
    ),
    r"(happened|expires) by a clock without a zone": lambda w, which: w.act.update(
        {{"happened": "occurred_at", "expires": "expires_at"}[which]: NOW.replace(tzinfo=None)}
    ),
    r"now by a clock without a zone": lambda w: setattr(w, "now", NOW.replace(tzinfo=None)),
    # The facts
    r"unknown (\w+)": lambda w, name: w.facts.update({name: None}),
    r"(record_status|zone|language) (\S+)": lambda w, name, to: w.facts.update({name: to}),
    r"no customer": lambda w: w.facts.update({"customer": ""}),
    r"nobody knows the zone": lambda w: w.facts.update({"zone": ""}),
    r"pause_switch (\S+)": lambda w, key: w.facts.update(
        {"pause_switches": frozenset({key, *(w.facts["pause_switches"] or ())})}
    ),
    r"under age": lambda w: w.facts.update({"is_of_age": False}),
    r"used company (\S+) (\d+)": lambda w, window, count: w.facts["used"].update(
        {f"company:{w.act['message_class']}|{window}": int(count)}
    ),
    r"used (\S+) (\S+) (\d+)": lambda w, scope, window, count: w.facts["used"].update(
        {f"{scope}|{window}": int(count)}
    ),
    r"no (email|sms|phone)": lambda w, channel: w.addresses.pop(channel, None),
    r"(email|sms) (bounced|complained|stopped|vanished)": lambda w, channel, how: (
        w.addresses.update({channel: Address("gone", how, "receipt-1")})
    ),
    r"email not mine since (\S+)": lambda w, day: w.addresses.update(
        {"email": Address("gone", not_mine_at=datetime.fromisoformat(day).replace(tzinfo=UTC))}
    ),
    # Statements of the customer
    r"restricted": lambda w: setattr(w, "restricted", "said-stop"),
    r"objected to (\S+)": lambda w, to: w.objections.update({to: "said-object"}),
    r"objected to its purpose": lambda w: w.objections.update(
        {w.act.get("purpose") or "nothing": "said-object"}
    ),
    r"never asked": lambda w: w.consents.pop(w.act.get("purpose"), None),
    r"consent (refused|withdrawn|expired|invalidated)": lambda w, how: w.consent(state=how),
    rf"consent until {_MOMENT}": lambda w, until: w.consent(valid_until=moment(until)),
    r"consent to no words": lambda w: w.consent(notice=""),
    r"set (\w+) (.+?)(?: on (\w+))?(?: about (\w+))?": _set,
    r"quiet (\S+?)-(\S+?)(?: days ([1-7]+))?": _quiet,
    # Relations
    r"relation is a (\w+)": lambda w, kind: w.relate(kind=kind),
    rf"relation until {_MOMENT}": lambda w, until: w.relate(until=moment(until)),
    rf"relation from {_MOMENT}": lambda w, since: w.relate(since=moment(since)),
    # Rules of the company
    r"rules without (\w+)": lambda w, name: w.rules.update({name: None}),
    r"rules of no version": lambda w: w.rules.update({"version": ""}),
    r"no plausible zones": lambda w: w.rules.update({"plausible_zones": ()}),
    r"plausible (\S+)": lambda w, names: w.rules.update(
        {"plausible_zones": tuple(names.split(","))}
    ),
    r"company budget (\d+)/(\w+)": lambda w, most, per: w.rules.update(
        {"budgets": dict.fromkeys(CLASSES, Budget(int(most), per))}
    ),
    r"company quiet (\S+)-(\S+)": lambda w, start, end: w.rules.update(
        {"quiet_hours": dict.fromkeys(CLASSES, QuietHours(start, end))}
    ),
}
