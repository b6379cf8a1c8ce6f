"""The statement that finds silences agrees with a list of all moments of activity, sorted in Python."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from random import Random

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from customers.events.internal_sources import BUTLER
from customers.identity.silences import note_silences
from customers.models import Identifier
from customers.types import HISTORY_OPENED
from tests import factories, size

BOX, ACCOUNT = ("email", "noor@mail.example.org"), ("user_id", "noor")
# A leap day, and steps that end on the last moment of a year, on the next one, and near both.
FIRST = datetime(2020, 2, 29, 12, tzinfo=UTC)
LAST = datetime(2026, 11, 1, tzinfo=UTC)
STEPS = [
    timedelta(),
    timedelta(seconds=1),
    timedelta(days=200),
    timedelta(days=364),
    timedelta(days=365),
    timedelta(days=366) - timedelta(microseconds=1),
    timedelta(days=366),
    timedelta(days=367),
    timedelta(days=800),
]
# Each event of a history names the mailbox, but for orders of the account. All but statements are activity.
# A statement of both joins the two records.
KINDS = ["order", "order of the account", "statement", "statement of both", "proof", "opening"]


def store(kind: str, at: datetime, by) -> None:
    identifiers = {"order of the account": (ACCOUNT,), "statement of both": (ACCOUNT, BOX)}
    name = {"proof": "Address Proved", "opening": HISTORY_OPENED}.get(kind, "")
    event = factories.incoming_event(
        *identifiers.get(kind, (BOX,)), at=at, kind="track" if "order" in kind else "identify"
    )
    if name:
        event = msgspec.structs.replace(event, name=name)
    factories.record(event, by=BUTLER if name else by, at=LAST)


def a_year_later(at: datetime) -> datetime:
    try:
        return at.replace(year=at.year + 1)
    except ValueError:
        return at.replace(year=at.year + 1, day=28)


def expected_silence(history) -> datetime | None:
    """Return the end of the last year without activity, unless the history was opened since."""
    named = sorted((at, kind) for kind, at in history if kind != "order of the account")
    if not named:
        return None
    active = {at for at, kind in named if "statement" not in kind} | {named[0][0]}
    ends = [later for earlier, later in pairwise(sorted(active)) if a_year_later(earlier) <= later]
    silence = max(ends, default=None)
    openings = [at for at, kind in named if kind == "opening"]
    return None if silence and max(openings, default=FIRST) >= silence else silence


class Properties(TestCase):
    """Histories of one mailbox and one account, stored in any order."""

    @size.tries(60, long=3000)
    @given(
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=9),
        steps=st.lists(st.sampled_from(STEPS), min_size=9, max_size=9),
        order=st.randoms(use_true_random=False),
    )
    @example(kinds=["order"] * 2, steps=[timedelta(days=365)], order=Random(1))
    @example(kinds=["order"] * 3, steps=[timedelta(days=366), timedelta(days=365)], order=Random(1))
    @example(kinds=["order"] * 3, steps=[timedelta(days=364)] * 2, order=Random(1))
    def test_silence_is_the_last_year_without_activity(self, kinds, steps, order):
        moments = list(accumulate(steps, initial=FIRST))
        history = list(zip(kinds, moments, strict=False))
        by = factories.sender()
        for kind, at in order.sample(history, len(history)):
            store(kind, at, by)
        mailboxes = Identifier.objects.filter(kind="email", value=BOX[1], evidence=2)

        note_silences(mailboxes.values_list("pk", flat=True))

        silences = set(mailboxes.values_list("silent_until", flat=True))
        assert silences <= {expected_silence(history)}
