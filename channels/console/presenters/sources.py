"""The texts of the page of the sources."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.events.internal_sources import sender_of_source
from customers.identity.evidence import address_evidence
from customers.models import NumberingQuestion, Source, SourceMove
from customers.queries.sources import SourceSummary
from customers.types import CONFIRMED, NOTED, SIMILAR_NAME, STATED, IngestWarning

# The largest number of names of other sources in one row.
NAMES_LIMIT = 10

_ADDRESSES = {
    CONFIRMED: "confirmed: customers who sign in with one see everything of their account",
    STATED: "stated: customers confirm an address with a code to see everything",
    NOTED: "noted for staff: they give customers no access",
}
_WARNINGS = {
    "non_identifier": "values that identify nobody, such as “undefined”, were left out",
    "identifier_dropped": "addresses, numbers or cards that Butler cannot read were left out",
    "unreadable_amount": "amounts of money were not read, because they are no amounts",
    "ambiguous_amount": "amounts with two meanings were not read, such as “1.234”",
    "rounded_amount": "amounts had more decimal places than their currency, and were rounded",
    "other_currency": "amounts in another currency than their order were not read",
    "unreadable_currency": "currencies were not read. Send three letters, such as EUR",
    "unreadable_quantity": "quantities were not read. Send whole numbers",
    "unreadable_lines": "the products of orders were not read. Send a list of objects",
    "too_many_lines": "orders had more lines than Butler stores",
    "unreadable_date": "dates were not read. Send dates such as 2027-05-01",
    "unreadable_time_of_day": "times of day were not read. Send times such as 10:30",
    "unreadable_wanted_at": "times of wanted calls were not read. Send times such as 2027-05-01T10:30:00Z",
    "erased": "statements about customers who were erased were refused",
    "identity_token_expired": "events had an identity token whose time was over, so they are claims",
    "identity_token_invalid": "events had a wrong or foreign identity token, so they are claims",
    "address_not_mine": "holders of addresses said that these are not those of its customers",
    "secret_key_in_url": "requests had the secret key in their address, which logs store. Butler refused"
    " them: make a new key, and revoke this one",
    "session_ended": "events had a session that has ended, or one of staff, so they are claims",
    "contested": "an address, a number or a card belongs to another record, so the records stay apart",
}


@dataclass(frozen=True, slots=True)
class WarningRow:
    count: int
    text: str
    # A message id, or empty.
    example: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the page shows it."""

    name: str
    channel: str
    space: str
    numbers: str
    addresses: str
    last_used_at: datetime | None
    warnings: Sequence[WarningRow]


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question whether two sources number their customers separately."""

    id: int
    space: str
    # The ids and names of the two sources.
    sources: Sequence[tuple[int, str]]
    cases: Sequence[str]


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A source that moved, and how far its customers are grouped again."""

    source: str
    space: str
    percent: int
    is_finished: bool
    # The changes until now, and the error that the move waits for.
    progress: str
    problem: str


def move_rows(moves: Sequence[SourceMove]) -> list[MoveRow]:
    """Return the moves of sources as the page shows them, in the same order."""
    return [
        MoveRow(
            source=move.source.name,
            space=move.space.name,
            percent=move.percent,
            is_finished=move.finished_at is not None,
            progress=_progress_text(move),
            problem=_problem_text(move),
        )
        for move in moves
    ]


def _progress_text(move: SourceMove) -> str:
    return (
        f"Numbers grouped again: {move.grouped_numbers}. Records that were split:"
        f" {move.split_records}. Records that joined: {move.joined_records}."
    )


def _problem_text(move: SourceMove) -> str:
    if not move.failure:
        return ""
    return f"The last batch failed ({move.failure}). Butler tries again every minute."


def question_rows(questions: Sequence[NumberingQuestion]) -> list[QuestionRow]:
    """Return the questions as the page asks them, in the same order."""
    return [
        QuestionRow(
            id=question.pk,
            space=question.space.name,
            sources=[(source.pk, source.name) for source in (question.first, question.second)],
            cases=_cases(question),
        )
        for question in questions
    ]


def _cases(question: NumberingQuestion) -> list[str]:
    counts = (
        (question.shared_mailboxes, "{} e-mail addresses with different numbers in the two"),
        (question.equal_numbers, "{} equal numbers without a common e-mail address"),
    )
    return [text.format(count) for count, text in counts if count]


def source_rows(summaries: Sequence[SourceSummary]) -> list[SourceRow]:
    """Return the rows of the page, in the same order."""
    names_by_space = defaultdict(list)
    for summary in summaries:
        names_by_space[summary.source.space_id].append(summary.source.name)
    return [_source_row(summary, names_by_space[summary.source.space_id]) for summary in summaries]


def _source_row(summary: SourceSummary, names_in_space: Sequence[str]) -> SourceRow:
    source = summary.source
    return SourceRow(
        name=source.name,
        channel=source.channel,
        space=source.space.name,
        numbers=_numbers_text(source, [name for name in names_in_space if name != source.name]),
        addresses=_addresses_text(source),
        last_used_at=summary.last_used_at,
        warnings=[_warning_row(warning) for warning in summary.warnings],
    )


def _numbers_text(source: Source, others: Sequence[str]) -> str:
    shared = "shared with " + (_listed(others) or "no other source")
    several = "; a customer may have several" if source.space.has_several_ids else ""
    return shared + several


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMES_LIMIT
    return ", ".join(names[:NAMES_LIMIT]) + (f" and {more} more" if more > 0 else "")


def _addresses_text(source: Source) -> str:
    """Return what the addresses are worth that come with a secret key."""
    return _ADDRESSES[address_evidence(sender_of_source(source, is_trusted=True))]


def _warning_row(warning: IngestWarning) -> WarningRow:
    code, _, known_name = warning.code.partition(":")
    if code == SIMILAR_NAME:
        return WarningRow(warning.count, f"{warning.example}: did you mean {known_name}?", "")
    text = _WARNINGS.get(warning.code, warning.code)
    return WarningRow(warning.count, text, warning.example)
