"""Where a run is, what it remembers, and what a look at it comes to: frozen shapes. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from butler.document import Document
from butler.types import Contact, Facts, Gate

# The step of a run that waits for something not to happen: before the first.
BEFORE = ""


class Memory(msgspec.Struct, omit_defaults=True):
    """What a run remembers from one look to the next; the facts of its due row."""

    # The step that it is in the middle of: a wait that has begun, a message half said.
    entered: str = ""
    # When that wait is over.
    until: datetime | None = None
    # What counts as the cause of what is said now: the end of the last wait.
    since: datetime | None = None
    # Channels of a message in several that were not judged to the end yet.
    left: tuple[str, ...] = ()
    # Where the last message has its texts, and the channels it went through.
    said: str = ""
    through: tuple[str, ...] = ()


class Run(msgspec.Struct):
    """One run as it stands, and what was looked up for it."""

    id: UUID
    automation: str
    document: Document
    cause: Mapping[str, Any]
    occurred_at: datetime
    step: str
    due_at: datetime
    memory: Memory
    context: Mapping[str, Any]
    facts: Facts
    # Whether what it waits for came, and whether the last message was seen.
    has_come: bool = False
    is_seen: bool = False


class Draft(msgspec.Struct):
    """A message to be queued."""

    channel: str
    place: str
    texts: str
    contact: Contact
    language: str


class Errand(msgspec.Struct):
    """A task for a person."""

    place: str
    title: str
    body: str
    due_at: datetime


class Judged(msgspec.Struct):
    """A decision to be written down, and what it leads to."""

    outcome: Literal["send", "defer", "skip", "person"]
    code: str
    contact: Contact
    gates: Sequence[Gate]
    until: datetime | None = None
    rules_version: str = ""
    draft: Draft | None = None
    errand: Errand | None = None


class Waiting(msgspec.Struct):
    """The run goes on at a time, or when what it awaits comes."""

    step: str
    due_at: datetime
    memory: Memory
    awaited: str = ""
    awaited_about: str = ""


class Ended(msgspec.Struct):
    status: Literal["done", "cancelled"]
    reason: str = ""


class Walked(msgspec.Struct):
    judged: Sequence[Judged]
    now: Waiting | Ended
