import os
import threading
import time
from types import SimpleNamespace

import pytest

from customers.events import background_publisher
from customers.events.background_publisher import BackgroundPublisher


class RecordingSender:
    """Records each batch that the publisher sends; blocks while `unblocked` is not set."""

    def __init__(self, is_accepted=True):
        self.batches, self.is_accepted = [], is_accepted
        self.entered = threading.Event()
        self.unblocked = threading.Event()
        self.unblocked.set()

    def __call__(self, versions):
        self.entered.set()
        self.unblocked.wait(60)
        self.batches.append(dict(versions))
        return self.is_accepted

    def wait_for(self, count, seconds=30.0):
        deadline = time.monotonic() + seconds
        while len(self.batches) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.batches


@pytest.fixture
def sender():
    return RecordingSender()


def test_notifications_during_a_send_are_sent_as_one(sender):
    sender.unblocked.clear()
    publisher = BackgroundPublisher("test", sender, timeout=1)

    publisher.add({"first": 1})
    assert sender.entered.wait(30)
    for number in range(500):
        publisher.add({"second": number, "third": 7})
    sender.unblocked.set()

    assert sender.wait_for(2) == [{"first": 1}, {"second": 499, "third": 7}]
    publisher.close()


def test_highest_version_is_sent_in_any_order(sender):
    sender.unblocked.clear()
    publisher = BackgroundPublisher("test", sender, timeout=1)
    publisher.add({"first": 1})
    assert sender.entered.wait(30)

    publisher.add({"second": 9})
    publisher.add({"second": 4})
    sender.unblocked.set()

    assert sender.wait_for(2) == [{"first": 1}, {"second": 9}]
    publisher.close()


def test_caller_does_not_wait_for_a_blocked_publisher(sender):
    sender.unblocked.clear()
    publisher = BackgroundPublisher("test", sender, timeout=0.05)

    for number in range(1000):
        publisher.add({number: number})

    assert sender.batches == []
    sender.unblocked.set()
    publisher.close()


def test_publisher_pauses_after_a_failed_send(monkeypatch):
    pausing, is_over = threading.Event(), threading.Event()
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        pausing.set()
        is_over.wait(30)

    monkeypatch.setattr(background_publisher, "time", SimpleNamespace(sleep=pause))
    sender = RecordingSender(is_accepted=False)
    publisher = BackgroundPublisher("test", sender, timeout=1)

    publisher.add({"first": 1})
    assert pausing.wait(30)
    publisher.add({"second": 2})

    assert (sender.batches, pauses) == ([{"first": 1}], [1.0])
    is_over.set()
    assert sender.wait_for(2) == [{"first": 1}, {"second": 2}]
    publisher.close()


def test_remaining_notifications_are_sent_at_exit(sender):
    publisher = BackgroundPublisher("test", sender, timeout=1, batch_window=30)
    publisher.add({"one": 1})

    publisher.close()

    assert sender.batches == [{"one": 1}]


def test_forked_child_sends_its_own_notifications(sender):
    publisher = BackgroundPublisher("test", sender, timeout=1)
    publisher.add({"parent": 1})
    sender.wait_for(1)
    out, into = os.pipe()

    child = os.fork()
    if not child:
        publisher.add({"child": 2})
        os.write(into, str(sender.wait_for(2)[1:]).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(out, 100) == b"[{'child': 2}]"
    os.close(out)
    os.close(into)
    publisher.close()
