"""The document of an automation: the structure of its file, read strictly. Pure."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from butler.types import MessageClass

# A text by language: {"en": "...", "nl": "..."}.
type Translations = dict[str, str]


class _DocumentPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a document; an unknown field is an error."""


class OnEvent(_DocumentPart, frozen=True, tag="event", tag_field="kind"):
    """Something happened: the name of the event.

    With `gather`, all that happens to a customer until then is said at once: so long after the
    first ("30m", "2h"), or at a time on their clock ("18:00").
    """

    event: str
    gather: str = ""


class OnAbsence(_DocumentPart, frozen=True, tag="absence", tag_field="kind"):
    """Something happened and something else did not follow within a time ("90m", "2h", "3d")."""

    event: str
    absent: str
    within: str
    # Whether the other event has to be about the same thing, such as the same order.
    same: Literal["customer", "about"] = "customer"


class OnDate(_DocumentPart, frozen=True, tag="date", tag_field="kind"):
    """A date on the record: so many days before it, at a time on the customer's clock."""

    # Such as "order.visit_date"; "member.birth_date" and "trait.<name>" return each year.
    date: str
    at: str
    days_before: int = 0


class OnSchedule(_DocumentPart, frozen=True, tag="schedule", tag_field="kind"):
    """On these days (ISO, 1 is Monday) or dates, at a time on each customer's clock."""

    at: str
    audience: str
    days: tuple[int, ...] = ()
    dates: tuple[str, ...] = ()


class OnTopic(_DocumentPart, frozen=True, tag="topic", tag_field="kind"):
    """Something customers care about changed its status: "ride:*" is "down"."""

    topic: str
    status: str
    audience: str

    def matches(self, key: str) -> bool:
        """Return whether the trigger covers this topic: by its key, or by "ride:*" for all rides."""
        prefix = self.topic.removesuffix("*")
        return key == prefix if prefix == self.topic else key.startswith(prefix)


type Trigger = OnEvent | OnAbsence | OnDate | OnSchedule | OnTopic


class MessageText(_DocumentPart, frozen=True):
    """What is said in one language. Liquid; `short` is for SMS, `mjml` replaces our own layout."""

    subject: str
    text: str
    short: str = ""
    mjml: str = ""
    # Where a button leads and what it says; a path on our own site.
    action: str = ""
    path: str = ""


class MessageStep(_DocumentPart, frozen=True, tag="message", tag_field="kind"):
    """Say something through the first of these channels that may and can."""

    channels: tuple[str, ...]
    texts: dict[str, MessageText]
    # Through every one of them instead: what is read in one place is not missed in another.
    every: bool = False


class WaitStep(_DocumentPart, frozen=True, tag="wait", tag_field="kind"):
    """Wait for a length of time ("2h"), or until a time on the customer's clock ("09:00")."""

    length: str = ""
    until: str = ""


class WaitForStep(_DocumentPart, frozen=True, tag="wait_for", tag_field="kind"):
    """Wait for an event; `then` if it came, `otherwise` if it did not in time."""

    event: str
    within: str
    same: Literal["customer", "about"] = "customer"
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


class BranchStep(_DocumentPart, frozen=True, tag="branch", tag_field="kind"):
    """Go one way or the other; CEL over the same values that texts see."""

    when: str
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


class NextChannelStep(_DocumentPart, frozen=True, tag="next_channel", tag_field="kind"):
    """Say the last message again through the next channel unless it was seen in time."""

    within: str
    channels: tuple[str, ...]


class TaskStep(_DocumentPart, frozen=True, tag="task", tag_field="kind"):
    """Ask a person: the fall-back channel that understands."""

    title: str
    body: str = ""
    within: str = "1h"


# Where a step holds steps of its own.
BRANCHES = ("then", "otherwise")

type Step = MessageStep | WaitStep | WaitForStep | BranchStep | NextChannelStep | TaskStep


class AutomationDocument(_DocumentPart, frozen=True):
    """One version of an automation, as its file has it."""

    key: str
    # For the customer, who reads why: "Reminder of your visit".
    name: Translations
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


def step_at(document: AutomationDocument, path: str) -> Step:
    """Return the step at a path such as "0" or "1.then.0"; raise LookupError if there is none."""
    index, *rest = path.split(".")
    step = document.steps[int(index)]
    for branch, position in zip(rest[::2], rest[1::2], strict=True):
        if branch not in BRANCHES:
            raise LookupError(path)
        step = getattr(step, branch, ())[int(position)]
    return step


def steps_with_paths(steps: tuple[Step, ...], parent: str = "") -> Iterator[tuple[str, Step]]:
    """Yield every step with its path, in the order in which they are written."""
    for index, step in enumerate(steps):
        path = f"{parent}{index}"
        yield path, step
        for branch in BRANCHES:
            yield from steps_with_paths(getattr(step, branch, ()), f"{path}.{branch}.")


def next_step_path(document: AutomationDocument, path: str) -> str | None:
    """Return the path of the next step: its neighbor, or the one after the step it is inside."""
    while path:
        outer, _, index = path.rpartition(".")
        neighbor = f"{outer}.{int(index) + 1}" if outer else str(int(index) + 1)
        if _exists(document, neighbor):
            return neighbor
        # "1.then" is inside "1".
        path = outer.rpartition(".")[0]
    return None


def branch_path(document: AutomationDocument, path: str, branch: str) -> str | None:
    """Return the path of the first step of a branch, or of the next step where it is empty."""
    first = f"{path}.{branch}.0"
    return first if _exists(document, first) else next_step_path(document, path)


def _exists(document: AutomationDocument, path: str) -> bool:
    try:
        step_at(document, path)
    except LookupError:
        return False
    return True
