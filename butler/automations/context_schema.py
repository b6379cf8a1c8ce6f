"""What texts and conditions can ask of a context, by path. Pure.

A list's items are described under the list's own path; `*` stands for any name. All values are
plain JSON; an absent value has no key at all, or is null, or is an empty text.
"""

from collections.abc import Iterable

SHAPE = frozenset(
    {
        "customer.first_name",
        "customer.name",
        "customer.language",
        "customer.zone",
        "customer.birth_date",
        "customer.card",
        "customer.traits.*",
        # Of what the run is about, or of the next visit.
        "order.number",
        "order.name",
        "order.status",
        "order.visit_date",
        "order.visit_time",
        "order.total",
        "order.currency",
        "order.lines.name",
        "order.lines.quantity",
        "order.lines.total",
        "order.lines.status",
        "order.party.name",
        # What started the run.
        "event.name",
        "event.about",
        "event.occurred_at",
        "event.properties.*",
        # All of a run that gathers; `event` is the first of them.
        "gathered.count",
        "gathered.events.name",
        "gathered.events.about",
        "gathered.events.occurred_at",
        "gathered.events.properties.*",
        "topic.key",
        "topic.name",
        "topic.status",
        "topic.facts.*",
        # The person of the party whose day it is.
        "member.reference",
        "member.name",
        "member.role",
        "member.birth_date",
        "member.age_turning",
        "request.reference",
        "request.subject",
        "request.wanted_at",
        "request.status",
        "visit.date",
        "company.name",
        "now",
    }
)

# Where anything may hang: what is there depends on who sent it.
OPEN = tuple(sorted(path.removesuffix("*") for path in SHAPE if path.endswith(".*")))

ROOTS = frozenset(path.split(".")[0] for path in SHAPE)

# Every path and what leads to it: "order", "order.lines", "order.lines.name".
_KNOWN = frozenset(
    ".".join(path.split(".")[:depth]).removesuffix(".*")
    for path in SHAPE
    for depth in range(1, path.count(".") + 2)
)


def unknown(paths: Iterable[str]) -> list[str]:
    """Return those of the paths that no context has, in order."""
    return sorted({path for path in paths if path not in _KNOWN and not path.startswith(OPEN)})
