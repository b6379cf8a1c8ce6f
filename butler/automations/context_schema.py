"""The paths of the values that texts and conditions can read from a context. Pure.

The fields of list elements have the path of the list as their prefix. `*` stands for any name.
All values are plain JSON. An absent value has no key, is null, or is an empty text.
"""

from collections.abc import Iterable

PATHS = frozenset(
    {
        "customer.first_name",
        "customer.name",
        "customer.language",
        "customer.zone",
        "customer.birth_date",
        "customer.card",
        "customer.traits.*",
        # The order of the run, or else the order of the next visit.
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
        # The event that started the run.
        "event.name",
        "event.about",
        "event.occurred_at",
        "event.properties.*",
        # All events of a run with `gather`; `event` is the first of them.
        "gathered.count",
        "gathered.events.name",
        "gathered.events.about",
        "gathered.events.occurred_at",
        "gathered.events.properties.*",
        "topic.key",
        "topic.name",
        "topic.status",
        "topic.facts.*",
        # The party member whose date started the run.
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

# Under these prefixes any name is valid, because senders choose the names.
_OPEN_PREFIXES = tuple(sorted(path.removesuffix("*") for path in PATHS if path.endswith(".*")))

ROOTS = frozenset(path.split(".")[0] for path in PATHS)

# Every path with its prefixes: "order", "order.lines", "order.lines.name".
_PATHS_AND_PREFIXES = frozenset(
    ".".join(path.split(".")[:depth]).removesuffix(".*")
    for path in PATHS
    for depth in range(1, path.count(".") + 2)
)


def unknown_paths(paths: Iterable[str]) -> list[str]:
    """Return the paths that are not in the schema, sorted."""
    return sorted(
        {
            path
            for path in paths
            if path not in _PATHS_AND_PREFIXES and not path.startswith(_OPEN_PREFIXES)
        }
    )
