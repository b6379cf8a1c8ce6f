"""A year in the life of a family, as the park's sources told it. Pure: seed in, messages out."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from examples.themepark import orders
from examples.themepark.families import Family
from examples.themepark.messages import Message
from examples.themepark.rides import rides, zone

APP, SITE, DESK, TILL = "app", "site", "call desk", "till"
VISITS = ("family-day", "family-day", "family-day", "lantern-night", "orchard-weekend", "birthday")
PAGES = ("Home", "Arrangements", "Opening hours", "Rides", "Lighthouse Inn")


@dataclass
class Diary:
    """Collects what was said about one family; message ids count up, so they repeat exactly."""

    family: Family
    until: datetime
    messages: list[Message] = field(default_factory=list)

    def say(
        self,
        source: str,
        name: str,
        at: datetime,
        content: dict[str, Any] | None = None,
        *,
        by: tuple[str, ...],
        kind: str = "track",
        about: str = "",
        actor: str = "",
    ) -> None:
        # What lies ahead has not been said yet.
        if at > self.until:
            return
        self.messages.append(
            Message(
                source=source,
                message_id=f"{self.family.key}-{len(self.messages) + 1}",
                kind=kind,
                name=name,
                identifiers=tuple((as_, self.known_as(as_, about)) for as_ in by),
                occurred_at=at,
                content=content or {},
                about=about,
                actor=actor,
            )
        )

    def known_as(self, kind: str, about: str) -> str:
        family = self.family
        return {
            "user_id": family.key,
            "email": family.email,
            "phone": family.phone,
            "card": family.card,
            "anonymous_id": f"browser-{family.key}",
            "device": f"phone-of-{family.key}",
            "order": about.removeprefix("order:"),
        }[kind]


def year(family: Family, *, seed: int, today: date, until: datetime) -> list[Message]:
    """Return what happened to a family in the year before `until`, in the order it happened."""
    # Text and not hash(): Python's hash of a text differs from process to process.
    chance = random.Random(f"{seed}-{family.key}")
    diary = Diary(family, until)
    joined = today - timedelta(days=chance.randrange(120, 364))
    _look_around(diary, chance, joined)
    _make_account(diary, chance, joined)
    day, number = joined, 0
    while (day := day + timedelta(days=chance.randrange(20, 160))) < today + timedelta(days=75):
        number += 1
        _order_and_visit(diary, chance, day, f"LK-{family.card[3:7]}-{number}")
    return sorted(diary.messages, key=lambda message: message.occurred_at)


def _look_around(diary: Diary, chance: random.Random, day: date) -> None:
    at = moment(day, chance.randrange(18, 22), chance.randrange(60))
    for page in chance.sample(PAGES, chance.randrange(1, 4)):
        at += timedelta(seconds=chance.randrange(15, 90))
        path = "/" + page.lower().replace(" ", "-")
        diary.say(SITE, page, at, {"path": path}, by=("anonymous_id",), kind="page")


def _make_account(diary: Diary, chance: random.Random, day: date) -> None:
    family = diary.family
    at = moment(day, 22, chance.randrange(5, 40))
    traits = {
        "name": family.name,
        "first_name": family.given,
        "language": family.language,
        "email": family.email,
        "phone": family.phone,
        "card": family.card,
    }
    known = ("user_id", "card", "email", "phone")
    diary.say(SITE, "", at, traits, by=(*known, "anonymous_id"), kind="identify")
    for step, member in enumerate(family.members, start=1):
        content = {
            "reference": member.reference,
            "name": member.name,
            "role": member.role,
            "birth_date": member.birth_date.isoformat(),
            "guardian": member.guardian,
            "height_cm": member.height_cm,
        }
        told_at = at + timedelta(minutes=step)
        about = f"member:{member.reference}"
        diary.say(APP, "Party Member Changed", told_at, content, by=("user_id",), about=about)


def _order_and_visit(diary: Diary, chance: random.Random, day: date, number: str) -> None:
    ordered_on = day - timedelta(days=chance.randrange(3, 20))
    key = chance.choice(VISITS)
    at = moment(ordered_on, chance.randrange(9, 21), chance.randrange(60))
    by_phone = chance.random() < 0.3
    order = order_by_phone if by_phone else order_on_site
    order(diary, at, number=number, key=key, day=day)
    fate = chance.random()
    later = at + timedelta(hours=chance.randrange(2, 40))
    if fate < 0.08:
        cancel(diary, later, number=number)
        return
    if fate < 0.25:
        move(diary, later, number=number, to="11:30")
    visit(diary, chance, day, number=number)


def order_on_site(diary: Diary, at: datetime, *, number: str, key: str, day: date) -> None:
    properties = orders.completed(number, key=key, family=diary.family, day=day, channel="web")
    seen = {"name": properties["name"], "visit_date": properties["visit_date"]}
    known = ("user_id", "anonymous_id")
    diary.say(SITE, "Product Viewed", at - timedelta(minutes=9), seen, by=known)
    diary.say(SITE, "Checkout Started", at - timedelta(minutes=4), seen, by=known)
    diary.say(
        SITE, "Order Completed", at, properties, by=(*known, "order"), about=f"order:{number}"
    )


def order_by_phone(diary: Diary, at: datetime, *, number: str, key: str, day: date) -> None:
    properties = orders.completed(number, key=key, family=diary.family, day=day, channel="phone")
    call(diary, at - timedelta(minutes=4), reference=number, minutes=6)
    diary.say(
        DESK,
        "Order Completed",
        at,
        properties,
        by=("phone", "email", "order"),
        about=f"order:{number}",
        actor="staff:sam",
    )


def call(diary: Diary, at: datetime, *, reference: str, minutes: int) -> None:
    steps: tuple[tuple[str, int, dict[str, str]], ...] = (
        ("Call Started", 0, {}),
        ("Call Answered", 12, {"user": "sam"}),
        ("Call Ended", minutes * 60, {"cause": "normalClearing"}),
    )
    heard = {"from": diary.family.phone, "direction": "in", "call_id": f"call-{reference}"}
    for name, second, more in steps:
        diary.say(
            DESK,
            name,
            at + timedelta(seconds=second),
            {**heard, **more},
            by=("phone",),
            about=f"call:call-{reference}",
            actor="staff:sam" if more else "",
        )


def move(diary: Diary, at: datetime, *, number: str, to: str) -> None:
    content = {"order_id": number, "visit_time": to}
    diary.say(APP, "Order Amended", at, content, by=("user_id", "order"), about=f"order:{number}")


def cancel(diary: Diary, at: datetime, *, number: str) -> None:
    content = {"order_id": number, "reason": "plans changed"}
    diary.say(APP, "Order Cancelled", at, content, by=("user_id", "order"), about=f"order:{number}")


def visit(diary: Diary, chance: random.Random, day: date, *, number: str) -> None:
    """A day in the park: the gate, a look at some waits, and the card at the shop."""
    at = moment(day, 10, chance.randrange(2, 55))
    content = {"order_id": number, "code": number, "till": "gate-2"}
    about = f"order:{number}"
    diary.say(TILL, "Ticket Scanned", at, content, by=("order",), about=about, actor="staff:iris")
    for ride in chance.sample(rides(), chance.randrange(1, 5)):
        at += timedelta(minutes=chance.randrange(30, 80))
        if (wait := ride.posted_wait(at)) is not None:
            seen: dict[str, Any] = {"ride": ride.id, "name": ride.name, "posted_minutes": wait}
            diary.say(APP, "Ride Wait Checked", at, seen, by=("user_id", "device"))
    if chance.random() < 0.5:
        content = {"card": diary.family.card, "till": "harbor-shop"}
        diary.say(TILL, "Card Scanned", at + timedelta(minutes=20), content, by=("card",))


def moment(day: date, hour: int, minute: int) -> datetime:
    """Return a time of the park's day, in UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=zone()).astimezone(UTC)


def noors_year(noor: Family, *, today: date, until: datetime) -> list[Message]:
    """Return the history of the guest whose story the example tells: the same on any day."""
    chance = random.Random("noor")
    diary = Diary(noor, until)
    # Before she had an account she called: two records, joined once she proved the number.
    call(diary, moment(today - timedelta(days=352), 11, 37), reference="2048-0", minutes=3)
    _look_around(diary, chance, today - timedelta(days=341))
    _make_account(diary, chance, today - timedelta(days=341))
    for number, (days, key) in enumerate(((318, "family-day"), (104, "lantern-night")), start=1):
        day = today - timedelta(days=days)
        order_on_site(
            diary,
            moment(day - timedelta(days=9), 20, 41),
            number=f"LK-2048-{number}",
            key=key,
            day=day,
        )
        visit(diary, chance, day, number=f"LK-2048-{number}")
    day = today + timedelta(days=9)
    order_by_phone(
        diary,
        moment(today - timedelta(days=2), 16, 12),
        number="LK-2048-3",
        key="birthday",
        day=day,
    )
    move(diary, moment(today - timedelta(days=1), 21, 3), number="LK-2048-3", to="12:00")
    return sorted(diary.messages, key=lambda message: message.occurred_at)
