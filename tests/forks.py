"""Several processes that do their work at once, after one import of the application."""

import multiprocessing
from collections.abc import Callable, Iterable


def run_forked(jobs: Iterable[Callable[[], None]]) -> int:
    """Run each job in a forked process; return how many failed, after all of them have ended.

    The calling process must have no open connections and no threads.
    """
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=job) for job in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return sum(process.exitcode != 0 for process in processes)
