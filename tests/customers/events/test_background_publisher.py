import os
import threading
import time

import pytest

from customers.events.background_publisher import BackgroundPublisher


class RecordingSender:
    """Records each batch that the publisher sends; blocks while `unblocked` is not set."""

    def __init__(self, is_accepted=True):
        self.batches, self.is_accepted = [], is_accepted
        self.unblocked = threading.Event()
        self.unblocked.set()

    def __call__(self, versions):
        self.unblocked.wait(5)
        self.batches.append(dict(versions))
        return self.is_accepted

    def wait_for(self, count, seconds=2.0):
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
    time.sleep(0.05)
    for number in range(500):
        publisher.add({"second": number, "third": 7})
    sender.unblocked.set()

    assert sender.wait_for(2) == [{"first": 1}, {"second": 499, "third": 7}]
    publisher.close()


def test_highest_version_is_sent_in_any_order(sender):
    publisher = BackgroundPublisher("test", sender, timeout=1, batch_window=0.05)

    publisher.add({"one": 9})
    publisher.add({"one": 4})

    assert sender.wait_for(1) == [{"one": 9}]
    publisher.close()


def test_caller_does_not_wait_for_a_blocked_publisher(sender):
    sender.unblocked.clear()
    publisher = BackgroundPublisher("test", sender, timeout=0.05)

    started = time.monotonic()
    for number in range(1000):
        publisher.add({number: number})

    assert time.monotonic() - started < 0.5
    sender.unblocked.set()
    publisher.close()


def test_publisher_pauses_after_a_failed_send():
    sender = RecordingSender(is_accepted=False)
    publisher = BackgroundPublisher("test", sender, timeout=1)

    publisher.add({"one": 1})
    sender.wait_for(1)
    publisher.add({"two": 2})
    time.sleep(0.2)

    assert sender.batches == [{"one": 1}]
    assert sender.wait_for(2) == [{"one": 1}, {"two": 2}]
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
