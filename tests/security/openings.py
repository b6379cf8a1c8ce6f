"""Worlds of one customer each, in which texts tell which identifier a surface shows.

The account and the mailbox of a world are linked by one evidence, its card and phone by another.
"""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple
from uuid import UUID

from django.test import Client
from django.utils import timezone

from customers.actions import sign_in
from customers.identity import decisions
from customers.identity.links import DecisionKind
from customers.identity.resolution import stored_identifier
from customers.models import AccessLogEntry, Customer, Identifier, Source, User
from customers.types import ADDRESS_CONFIRMED
from tests import factories
from tests.customers import consent_helpers
from tests.customers.identity.company import WireSource, email, record_of
from tests.customers.identity.signed_in import SignedIn
from tests.identity_tokens import identity_secret, sign

# How a source knows the addresses of its accounts, by the evidence of the link with the mailbox.
_ADDRESSES = {"noted": "unchecked", "confirmed": "checked", "taken off": "checked"}
LINKS = (
    "noted",
    "stated",
    "opened",
    "confirmed",
    "replaced",
    "pending",
    "separated",
    "taken off",
    "merged by staff",
    # A second mailbox, or the account of another space, came to the record later, with its history.
    "stated, another merged",
    "stated, another stated",
)
# The links by which a code of the mailbox opens the account, too.
_OPENING_LINKS = {
    "stated",
    "opened",
    "confirmed",
    "stated, another merged",
    "stated, another stated",
}
# Belong to a record as a whole, with the mailbox of the record. A preference is told by its entry.
_RECORD_NOUNS = ("consent", "preference", "decision", "look")
# Channel and addresses of the source that names the card and the phone with the account.
_LEAF_SOURCES = {
    "noted": ("till", ""),
    "stated": ("app", "stated"),
    "confirmed": ("app", "checked"),
    "decided by staff": ("app", "stated"),
}
# The evidence of a phone is that of the card. A shared phone was confirmed by a second account, too.
LEAVES = (*_LEAF_SOURCES, "proved", "shared")
# The links that a proof opens or not, each with another leaf. `make test-long` takes all pairs.
CASES = [
    ("stated", "noted"),
    ("confirmed", "confirmed"),
    ("merged by staff", "decided by staff"),
    ("separated", "stated"),
    ("stated", "proved"),
    ("confirmed", "shared"),
    ("stated, another merged", "noted"),
    ("stated, another stated", "confirmed"),
]
ALL_CASES = [*product(LINKS, LEAVES)]


class World(NamedTuple):
    """A customer, the texts that tell of each identifier, and the objects that routes name."""

    link: str
    leaf: str
    number: int
    box: str
    # By the name of a text: the account, the mailbox, the card and the phone with what is theirs.
    texts: dict[str, str]
    orders: tuple[str, ...]
    messages: tuple[UUID, ...]
    phone: str

    @property
    def name(self) -> str:
        """The evidence of the links, for the output of a test."""
        return f"{self.link} mailbox, {self.leaf} card"

    def login(self, proof: str) -> Identifier:
        """Return the account or the mailbox, in its latest period."""
        value = self.texts[proof]
        if proof == "mailbox":
            return Identifier.objects.filter(kind="email", value=value).latest("period")
        shop = Source.objects.get(name=f"Shop {self.number:03}")
        return Identifier.objects.filter(kind="user_id", value=f"{shop.pk}/{value}").latest(
            "period"
        )


def build_world(number: int, link: str, leaf: str) -> World:
    """Send and write all that a customer can have, and link the identifiers."""
    sign, user = f"{number:03}", f"number-{number:03}-account"
    box, phone, card = f"box-{sign}@mail.example.org", f"+316120{sign}45", f"7300{sign}918"
    texts = _texts(sign, user, box, phone)
    shop = WireSource(
        f"Shop {sign}", "server", ids=f"world{sign}", addresses=_ADDRESSES.get(link, "stated")
    )
    shop.order(10, texts["account order"], user)
    shop.order(11, texts["mailbox order"], "", email=box)
    shop.send(shop.event("identify", 12, traits={"email": box, "hobby": texts["mailbox trait"]}))
    shop.identify(13, user, nickname=texts["account trait"])
    channel, addresses = _LEAF_SOURCES.get(leaf, _LEAF_SOURCES["stated"])
    cards = WireSource(f"Cards {sign}", channel, ids=f"world{sign}", addresses=addresses)
    cards.identify(14, user, card=card, phone=phone)
    till = WireSource(f"Till {sign}", "till")
    till.order(15, texts["card order"], "", card=card)
    factories.record(
        factories.incoming_event(
            ("phone", phone), name="Call Started", about=f"call:{texts['phone call']}"
        ),
        by=factories.sender(factories.source(f"Calls {sign}", "phone")),
    )
    ends = {
        "account": Identifier.objects.get(kind="user_id", value=f"{shop.source.pk}/{user}"),
        "mailbox": Identifier.objects.get(kind="email", value=box),
        "card": Identifier.objects.get(kind="card", value=card),
        "phone": Identifier.objects.get(kind="phone", value=phone),
    }
    messages = (
        _message(record_of(email(box)), texts["mailbox message"], channel="email", address=box),
        _message(record_of(shop.account(user)), texts["inbox message"]),
        _message(record_of(("phone", phone)), texts["phone message"], channel="sms", address=phone),
    )
    _write_on_records(texts, {"account": shop.account(user), "mailbox": email(box)})
    if "another" in link:
        messages += (_join_another(shop, link, texts, ends["account"]),)
    _link(shop, link, texts, ends)
    _write_on_records(texts, {"later": shop.account(user)})
    if leaf == "decided by staff":
        for leaf_kind in ("card", "phone"):
            _decide(DecisionKind.MERGE, ends["account"], ends[leaf_kind])
    if leaf in ("proved", "shared"):
        _confirm(ends["account"], ends["phone"])
    if leaf == "shared":
        shop.identify(22, f"other-{user}", email=f"other-{box}")
        _confirm(Identifier.objects.get(value=f"{shop.source.pk}/other-{user}"), ends["phone"])
    orders = tuple(texts[f"{owner} order"] for owner in ("account", "mailbox", "card"))
    return World(link, leaf, number, box, texts, orders, messages, phone)


def _texts(sign: str, user: str, box: str, phone: str) -> dict[str, str]:
    """Return the texts of a world, by name."""
    return {
        "account": user,
        "account order": f"ACCOUNT-ORDER-{sign}",
        "account trait": f"ACCOUNT-TRAIT-{sign}",
        "mailbox": box,
        "mailbox order": f"MAILBOX-ORDER-{sign}",
        "mailbox trait": f"MAILBOX-TRAIT-{sign}",
        "mailbox message": f"MAILBOX-MESSAGE-{sign}",
        "inbox message": f"INBOX-MESSAGE-{sign}",
        "card order": f"CARD-ORDER-{sign}",
        "phone call": f"PHONE-CALL-{sign}",
        "phone message": f"PHONE-MESSAGE-{sign}",
        "phone number": phone,
        "other mailbox": f"second-{sign}@mail.example.org",
        "other account": f"second-of-{sign}",
        "other order": f"OTHER-ORDER-{sign}",
        "other message": f"OTHER-MESSAGE-{sign}",
        "merge decision": f"MERGER-{sign}",
        **{
            f"{owner} {noun}": f"{owner}-{noun}-{sign}".upper()
            for owner in ("account", "mailbox", "other", "later")
            for noun in _RECORD_NOUNS
        },
    }


def _write_on_records(texts: dict[str, str], owners: dict[str, tuple[str, str]]) -> None:
    """Write on the records of these identifiers what belongs to a record as a whole."""
    for owner, identifier in owners.items():
        record_id = record_of(identifier)
        assert record_id is not None
        now = timezone.now()
        evidence = {"kind": "voice", "recording": texts[f"{owner} consent"]}
        # Another setting than before: a receipt names the entry that it replaces.
        setting = ("pause", "2040-01-01T00:00:00Z") if owner == "later" else ("language", "nl")
        recorded = consent_helpers.say(
            record_id,
            consent_helpers.give(evidence=evidence),
            consent_helpers.prefer(*setting),
            now=now,
        )
        texts[f"{owner} preference"] = str(recorded.entries[1])
        factories.decision(Customer(pk=record_id), at=now, automation_id=texts[f"{owner} decision"])
        AccessLogEntry.objects.create(
            customer_id=record_id, at=now, actor=texts[f"{owner} look"], role="staff", what="page"
        )


def _join_another(shop: WireSource, link: str, texts: dict[str, str], account: Identifier) -> UUID:
    """Join another half to the record of the account, which has a history; return its message."""
    if link == "stated, another stated":
        return _join_by_stating(shop, texts)
    other = texts["other mailbox"]
    shop.order(16, texts["other order"], "", email=other)
    _write_on_records(texts, {"other": email(other)})
    message = _message(
        record_of(email(other)), texts["other message"], channel="email", address=other
    )
    mailbox = Identifier.objects.get(kind="email", value=other)
    _decide(DecisionKind.MERGE, account, mailbox, actor=texts["merge decision"])
    return message


def _join_by_stating(shop: WireSource, texts: dict[str, str]) -> UUID:
    """Two accounts of another space state the mailbox: the first is joined, and none opens."""
    club = WireSource(f"Club of {shop.source.name}", "app", ids=f"club of {shop.source.pk}")
    club.order(16, texts["other order"], texts["other account"])
    account = club.account(texts["other account"])
    _write_on_records(texts, {"other": account})
    message = _message(record_of(account), texts["other message"])
    for hour, user in ((17, texts["other account"]), (18, "another")):
        club.identify(hour, user, email=texts["mailbox"])
    return message


def _link(shop: WireSource, link: str, texts: dict[str, str], ends: dict[str, Identifier]) -> None:
    user, box = texts["account"], texts["mailbox"]
    if link == "merged by staff":
        _decide(DecisionKind.MERGE, ends["account"], ends["mailbox"], actor=texts["merge decision"])
        return
    if link == "pending":
        shop.identify(19, user, email=f"first-{box}", email_verified=True)
    shop.identify(20, user, email=box)
    if link == "opened":
        SignedIn(box)
    if link == "replaced":
        shop.identify(21, user, email=f"new-{box}")
    if link in ("separated", "taken off"):
        _decide(DecisionKind.SEPARATE, ends["account"], ends["mailbox"])


def _confirm(account: Identifier, phone: Identifier) -> None:
    """Store that a session proved an account and a phone. It moves no call to the account."""
    sign_in.store_event(
        ADDRESS_CONFIRMED,
        timezone.now(),
        ("phone", phone.value),
        stored_identifier(account.kind, account.value),
        traits={"phone_verified": True},
    )


def _decide(kind: DecisionKind, first: Identifier, second: Identifier, actor: str = "Sam") -> None:
    decisions.decide(
        kind, first.pk, second.pk, actor=f"staff:{actor}", now=timezone.now(), reason="x"
    )


def _message(record_id: UUID | None, text: str, **fields: str) -> UUID:
    assert record_id is not None
    message = factories.message(Customer(pk=record_id), subject=text, text=text, **fields)
    return message.pk


def account_token(world: World) -> dict[str, str]:
    """Return the header of a front end with an identity token of the account."""
    source = Source.objects.get(name=f"Shop {world.number:03}")
    token = sign(source, identity_secret(source), world.texts["account"])
    return {"X-Identity-Token": token}


def account_session(world: World) -> str:
    """Return the key of a session that proved the account only."""
    user = User.objects.create_user(
        f"login-{world.number}@login.example.org", record_id=world.login("account").record_id
    )
    client = Client()
    client.force_login(user)
    return str(client.session.session_key)


def mailbox_session(world: World) -> str:
    """Return the key of a session that proved the mailbox by a code."""
    return SignedIn(world.box).token


def phone_session(world: World) -> str:
    """Return the key of a session that proved the phone by a code by SMS."""
    return SignedIn(world.phone).token


SESSIONS: dict[str, Callable[[World], str]] = {
    "account": account_session,
    "mailbox": mailbox_session,
    "phone": phone_session,
}


_PHONE_TEXTS = ("phone call", "phone message", "phone number")
_LEAVES_OF_ACCOUNT = {
    "confirmed": {"card"},
    "decided by staff": {"card", "phone"},
    "proved": {"phone"},
}


def expected_texts(world: World, session: str) -> set[str]:
    """Return the names of the texts that a session may see: the function of the contract."""
    if (world.link, session) == ("taken off", "mailbox"):
        # The address was proved, so a new period began, which is empty.
        return {"mailbox"}
    if session == "phone":
        # The phone itself, whoever states it; the number alone of one that two accounts confirmed.
        return {"phone number"} if world.leaf == "shared" else {*_PHONE_TEXTS}
    opened = {session}
    if session == "mailbox" and world.link in _OPENING_LINKS:
        opened.add("account")
    if session == "account" and world.link == "confirmed":
        opened.add("mailbox")
    if "account" in opened:
        # A card that its source confirmed. Only a decision or a proof confirms a phone.
        opened |= _LEAVES_OF_ACCOUNT.get(world.leaf, set())
    expected = {
        name
        for name in world.texts
        if name.split(" ")[0] in opened and not name.endswith(_RECORD_NOUNS)
    }
    expected |= {
        f"{owner} {noun}"
        for owner in _record_owners(world, session, opened)
        for noun in _RECORD_NOUNS
    }
    if "account" in opened:
        expected |= _stated_texts(world)
    if _opens_contact(world, session):
        expected.add("inbox message")
    return expected


def _stated_texts(world: World) -> set[str]:
    """Return the texts of addresses that events of the account name; not what belongs to them."""
    return {"phone number"} | ({"mailbox"} if world.link != "merged by staff" else set())


def _record_owners(world: World, session: str, opened: set[str]) -> set[str]:
    """Return the owners of what belongs to a record as a whole: "later" is what followed the join."""
    if session == "account":
        return (
            {*opened & {"account", "mailbox"}, "later"} if _opens_contact(world, session) else set()
        )
    is_one_record = world.link in _OPENING_LINKS or world.link == "merged by staff"
    return opened & {"account", "mailbox"} | ({"later"} if is_one_record else set())


def _opens_contact(world: World, session: str) -> bool:
    """Tell whether a session opens the messages without an address of the account's record."""
    if session == "mailbox":
        # After a merge by staff it shows what followed the merge, and no earlier message of the account.
        return world.link in _OPENING_LINKS
    # Its record has no mailbox, or one that the account confirmed.
    return world.link in ("confirmed", "pending", "noted", "separated", "taken off")
