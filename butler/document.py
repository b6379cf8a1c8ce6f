"""What an automation is made of: the shape of its file, read strictly. Pure."""

from typing import Literal

import msgspec

from butler.types import MessageClass

# Words that a customer reads, by language: {"en": "...", "nl": "..."}.
type Worded = dict[str, str]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a document; a field that nobody knows is a mistake, not a wish."""


class OnEvent(_Part, frozen=True, tag="event", tag_field="kind"):
    """Something happened: the name of the event.

    With `gather`, all that happens to a customer until then is said at once: so long after the
    first ("30m", "2h"), or at a time on their clock ("18:00").
    """

    event: str
    gather: str = ""


class OnAbsence(_Part, frozen=True, tag="absence", tag_field="kind"):
    """Something happened and something else did not follow within a time ("90m", "2h", "3d")."""

    event: str
    absent: str
    within: str
    # Whether the other event has to be about the same thing, such as the same order.
    same: Literal["customer", "about"] = "customer"


class OnDate(_Part, frozen=True, tag="date", tag_field="kind"):
    """A date on the record: so many days before it, at a time on the customer's clock."""

    # Such as "order.visit_date"; "member.birth_date" and "trait.<name>" return each year.
    date: str
    at: str
    days_before: int = 0


class OnSchedule(_Part, frozen=True, tag="schedule", tag_field="kind"):
    """On these days (ISO, 1 is Monday) or dates, at a time on each customer's clock."""

    at: str
    audience: str
    days: tuple[int, ...] = ()
    dates: tuple[str, ...] = ()


class OnTopic(_Part, frozen=True, tag="topic", tag_field="kind"):
    """Something customers care about changed its status: "ride:*" is "down"."""

    topic: str
    status: str
    audience: str

    def is_about(self, key: str) -> bool:
        """Tell whether this topic is meant: by its key, or by "ride:*" for all of a sort."""
        prefix = self.topic.removesuffix("*")
        return key == prefix if prefix == self.topic else key.startswith(prefix)


type Trigger = OnEvent | OnAbsence | OnDate | OnSchedule | OnTopic


class Text(_Part, frozen=True):
    """What is said in one language. Liquid; `short` is for SMS, `mjml` replaces our own layout."""

    subject: str
    text: str
    short: str = ""
    mjml: str = ""
    # Where a button leads and what it says; a path on our own site.
    action: str = ""
    path: str = ""


class MessageStep(_Part, frozen=True, tag="message", tag_field="kind"):
    """Say something through the first of these channels that may and can."""

    channels: tuple[str, ...]
    texts: dict[str, Text]
    # Through every one of them instead: what is read in one place is not missed in another.
    every: bool = False


class WaitStep(_Part, frozen=True, tag="wait", tag_field="kind"):
    """Wait for a length of time ("2h"), or until a time on the customer's clock ("09:00")."""

    length: str = ""
    until: str = ""


class WaitForStep(_Part, frozen=True, tag="wait_for", tag_field="kind"):
    """Wait for an event; `then` if it came, `otherwise` if it did not in time."""

    event: str
    within: str
    same: Literal["customer", "about"] = "customer"
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


class BranchStep(_Part, frozen=True, tag="branch", tag_field="kind"):
    """Go one way or the other; CEL over the same values that texts see."""

    when: str
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


class NextChannelStep(_Part, frozen=True, tag="next_channel", tag_field="kind"):
    """Say the last message again through the next channel unless it was seen in time."""

    within: str
    channels: tuple[str, ...]


class TaskStep(_Part, frozen=True, tag="task", tag_field="kind"):
    """Ask a person: the fall-back channel that understands."""

    title: str
    body: str = ""
    within: str = "1h"


# Where a step holds steps of its own.
BRANCHES = ("then", "otherwise")

type Step = MessageStep | WaitStep | WaitForStep | BranchStep | NextChannelStep | TaskStep


class Document(_Part, frozen=True):
    """One version of an automation, as its file has it."""

    key: str
    # For the customer, who reads why: "Reminder of your visit".
    name: Worded
    trigger: Trigger
    steps: tuple[Step, ...]
    # The class of the message, of the strictest thing in it.
    message_class: MessageClass = msgspec.field(name="class")
    topic: str
    # How long after its cause it still makes sense; a till's late batch is past it.
    expires: str
    purpose: str = ""
    # What gives the right to a service message: "order", "visit", "request"; the thing itself
    # comes from what triggered it.
    relation: str = ""
    # CEL; only where it holds. Empty: always.
    condition: str = ""
    # What makes an occasion one: each event, each thing it is about, each customer, each day.
    once_per: Literal["event", "about", "customer", "day"] = "event"
    priority: int = 5
    # In quiet hours: wait until they end, or leave it.
    quiet: Literal["defer", "skip"] = "defer"
    # In which languages it is said; empty: in all that we speak.
    languages: tuple[str, ...] = ()


def step_at(document: Document, path: str) -> Step:
    """Return the step at a place such as "0" or "1.then.0"; raise LookupError where none is."""
    index, *rest = path.split(".")
    step = document.steps[int(index)]
    for branch, place in zip(rest[::2], rest[1::2], strict=True):
        if branch not in BRANCHES:
            raise LookupError(path)
        step = getattr(step, branch, ())[int(place)]
    return step


def following(document: Document, path: str) -> str | None:
    """Return the place after this one: its neighbor, or what follows the step it is inside."""
    while path:
        outer, _, index = path.rpartition(".")
        neighbor = f"{outer}.{int(index) + 1}" if outer else str(int(index) + 1)
        if _exists(document, neighbor):
            return neighbor
        # "1.then" is inside "1".
        path = outer.rpartition(".")[0]
    return None


def inside(document: Document, path: str, branch: str) -> str | None:
    """Return the first place of a branch, or what follows where it is empty."""
    first = f"{path}.{branch}.0"
    return first if _exists(document, first) else following(document, path)


def _exists(document: Document, path: str) -> bool:
    try:
        step_at(document, path)
    except LookupError:
        return False
    return True
