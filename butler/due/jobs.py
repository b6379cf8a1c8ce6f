"""The jobs that due rows name. `butler.actions.due_jobs` registers them when the app starts.

A job runs inside a transaction of its own and may run twice: its due row is its key. It returns
when to run next, or None. A batch job takes many due rows in one transaction and closes them
itself.
"""

from collections.abc import Callable
from datetime import datetime

from butler.due.queue import BatchJob, ClaimedDue, Job

type OnGiveUp = Callable[[ClaimedDue, str, datetime], None]

JOBS: dict[str, Job] = {}
BATCH_JOBS: dict[str, BatchJob] = {}
# What to do when a row is given up; called with the reason.
ON_GIVE_UP: dict[str, OnGiveUp] = {}
# Jobs that always have a due row; a tick writes the row where it is missing.
RECURRING: list[str] = []


def register(name: str, job: Job, *, recurring: bool = False) -> None:
    """Register a job; a recurring one is due again after every run, from the first tick on."""
    JOBS[name] = job
    if recurring and name not in RECURRING:
        RECURRING.append(name)


def register_batch(name: str, job: BatchJob, *, on_give_up: OnGiveUp) -> None:
    """Register a job that takes many due rows at once."""
    BATCH_JOBS[name] = job
    ON_GIVE_UP[name] = on_give_up
