"""The registry of the jobs that due rows name. `butler.actions.due_jobs` fills it at the start.

Each job runs in a separate transaction, and it must be safe to run twice. It returns the time of
its next run, or None. A batch job gets many due rows in one transaction and closes them itself.
"""

from collections.abc import Callable
from datetime import datetime

from butler.due.queue import BatchJob, ClaimedDue, Job

type OnGiveUp = Callable[[ClaimedDue, str, datetime], None]

JOBS: dict[str, Job] = {}
BATCH_JOBS: dict[str, BatchJob] = {}
# The function of each batch job that is called when a row is given up, with the reason.
ON_GIVE_UP: dict[str, OnGiveUp] = {}
# Jobs that always have a due row. A tick inserts the row if it is missing.
RECURRING: list[str] = []


def register(name: str, job: Job, *, recurring: bool = False) -> None:
    """Register a job. Each tick makes sure that a recurring job has a due row."""
    JOBS[name] = job
    if recurring and name not in RECURRING:
        RECURRING.append(name)


def register_batch(name: str, job: BatchJob, *, on_give_up: OnGiveUp) -> None:
    """Register a job that gets many due rows in one call."""
    BATCH_JOBS[name] = job
    ON_GIVE_UP[name] = on_give_up
