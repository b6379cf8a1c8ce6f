"""The baseline of bench.due: one Celery task with an ETA for each message.

The task only counts. It makes no claim, no decision and no message.
"""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import redis
from celery import Celery

from bench import servers
from bench.load import BenchmarkFailed
from config import service_urls

_COUNT = "bench:eta"
_QUEUE = "bench-eta"
_URL = os.environ.get("REDIS_URL", "")

app = Celery("bench.eta", broker=service_urls.broker_url(_URL) if _URL else None)
app.conf.task_default_queue = _QUEUE
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="bench.nothing")
def count_task() -> None:
    """Count this task in Redis; it does nothing else."""
    _counter().incr(_COUNT)


def _counter() -> "redis.Redis":
    return redis.Redis.from_url(_URL)


def tasks_per_second(count: int) -> float:
    """Return tasks a second, from the first queued task to the end of the last one."""
    command = [sys.executable, "-m", "celery", "--app", "bench.eta", "--quiet", "worker"]
    command += ["--concurrency", "2", "--queues", _QUEUE, "--loglevel", "error"]
    counter = _counter()
    counter.delete(_COUNT, _QUEUE)
    worker = subprocess.Popen(
        [*command, "--without-gossip", "--without-mingle"],
        cwd=servers.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        count_task.apply_async(eta=datetime.now(UTC))
        _wait_for_count(counter, 1)
        started = time.monotonic()
        for _ in range(count):
            count_task.apply_async(eta=datetime.now(UTC))
        _wait_for_count(counter, count + 1)
        return count / (time.monotonic() - started)
    finally:
        worker.terminate()
        worker.wait(20)
        counter.delete(_COUNT, _QUEUE)


def _wait_for_count(counter: "redis.Redis", count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if int(counter.get(_COUNT) or 0) >= count:
            return
        time.sleep(0.01)
    raise BenchmarkFailed("the tasks of the baseline did not end within a minute")
