"""Warnings about what a batch left out, for the operator of its source. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from customers.identity.families import split_source
from customers.identity.normalize import is_kind, is_of_the_company, normalize, refusal_code
from customers.projections.event_names import suggested_name
from customers.types import SIMILAR_NAME, IncomingEvent, IngestWarning, Sender, merge_warnings


def find_warnings(events: Sequence[IncomingEvent], sender: Sender) -> list[IngestWarning]:
    """Return the warnings about these new events, one for each code.

    Anybody can use a publishable key, so its events cause no warnings.
    """
    if sender.is_public:
        return []
    return merge_warnings(
        IngestWarning(code, 1, event.message_id)
        for event in events
        for code in _codes(event, sender)
    )


def _codes(event: IncomingEvent, sender: Sender) -> Iterator[str]:
    """Yield a code for each identifier of the event that was left out."""
    for named_kind, value in event.identifiers:
        kind, _ = split_source(named_kind)
        if not is_kind(kind):
            continue
        normalized = normalize(kind, value, sender.default_region)
        if normalized is not None:
            if kind == "email" and is_of_the_company(normalized, sender.channel):
                yield "non_identifier"
        elif code := refusal_code(kind, value, sender.default_region):
            yield code


def find_doubt_warnings(events: Iterable[IncomingEvent], sender: Sender) -> list[IngestWarning]:
    """Return the warnings about what Butler could not read in these new events, and about names.

    Anybody can use a publishable key, so its events cause no warnings.
    """
    if sender.is_public:
        return []
    warnings = []
    for event in events:
        warnings += [IngestWarning(doubt, 1, event.message_id) for doubt in event.doubts]
        if event.kind == "track" and (known_name := suggested_name(event.name)):
            warnings.append(IngestWarning(f"{SIMILAR_NAME}:{known_name}", 1, event.name))
    return merge_warnings(warnings)


def find_token_warnings(events: Iterable[IncomingEvent]) -> list[IngestWarning]:
    """Return the warnings about customer tokens of these new events that proved nothing."""
    return merge_warnings(
        IngestWarning(event.token_fault, 1, event.message_id)
        for event in events
        if event.token_fault
    )
