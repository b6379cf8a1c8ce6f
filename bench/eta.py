"""The baseline of bench.due: one Celery task a message, each with the time when it is due.

The task does nothing at all: neither a claim nor a decision nor a message.
"""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import redis
from celery import Celery

from bench import stage
from bench.load import Failed
from config import env

_COUNT = "bench:eta"
_QUEUE = "bench-eta"
_URL = os.environ.get("REDIS_URL", "")

app = Celery("bench.eta", broker=env.broker_url(_URL) if _URL else None)
app.conf.task_default_queue = _QUEUE
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="bench.nothing")
def nothing() -> None:
    _counter().incr(_COUNT)


def _counter() -> "redis.Redis":
    return redis.Redis.from_url(_URL)


def rate(count: int) -> float:
    """Return tasks a second, from the first that is queued to the last that was done."""
    command = [sys.executable, "-m", "celery", "--app", "bench.eta", "--quiet", "worker"]
    command += ["--concurrency", "2", "--queues", _QUEUE, "--loglevel", "error"]
    counter = _counter()
    counter.delete(_COUNT, _QUEUE)
    worker = subprocess.Popen(
        [*command, "--without-gossip", "--without-mingle"],
        cwd=stage.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        nothing.apply_async(eta=datetime.now(UTC))
        _await(counter, 1)
        started = time.monotonic()
        for _ in range(count):
            nothing.apply_async(eta=datetime.now(UTC))
        _await(counter, count + 1)
        return count / (time.monotonic() - started)
    finally:
        worker.terminate()
        worker.wait(20)
        counter.delete(_COUNT, _QUEUE)


def _await(counter: "redis.Redis", count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if int(counter.get(_COUNT) or 0) >= count:
            return
        time.sleep(0.01)
    raise Failed("the tasks of the baseline were not done within a minute")
