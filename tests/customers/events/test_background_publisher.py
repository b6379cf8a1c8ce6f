import os
import threading
import time

import pytest

from customers.events.background_publisher import BackgroundPublisher


class Bell:
    """Hears what is rung; where it is stuck, every ring waits until it is let go."""

    def __init__(self, is_taken=True):
        self.heard, self.is_taken = [], is_taken
        self.free = threading.Event()
        self.free.set()

    def __call__(self, versions):
        self.free.wait(5)
        self.heard.append(dict(versions))
        return self.is_taken

    def wait_for(self, rings, seconds=2.0):
        ends = time.monotonic() + seconds
        while len(self.heard) < rings and time.monotonic() < ends:
            time.sleep(0.005)
        return self.heard


@pytest.fixture
def bell():
    return Bell()


def test_notifications_during_a_send_are_sent_as_one(bell):
    bell.free.clear()
    publisher = BackgroundPublisher("test", bell, timeout=1)

    publisher.add({"first": 1})
    time.sleep(0.05)
    for number in range(500):
        publisher.add({"second": number, "third": 7})
    bell.free.set()

    assert bell.wait_for(2) == [{"first": 1}, {"second": 499, "third": 7}]
    publisher.close()


def test_highest_version_is_sent_in_any_order(bell):
    publisher = BackgroundPublisher("test", bell, timeout=1, batch_window=0.05)

    publisher.add({"one": 9})
    publisher.add({"one": 4})

    assert bell.wait_for(1) == [{"one": 9}]
    publisher.close()


def test_caller_does_not_wait_for_a_blocked_publisher(bell):
    bell.free.clear()
    publisher = BackgroundPublisher("test", bell, timeout=0.05)

    started = time.monotonic()
    for number in range(1000):
        publisher.add({number: number})

    assert time.monotonic() - started < 0.5
    bell.free.set()
    publisher.close()


def test_publisher_pauses_after_a_failed_send():
    bell = Bell(is_taken=False)
    publisher = BackgroundPublisher("test", bell, timeout=1)

    publisher.add({"one": 1})
    bell.wait_for(1)
    publisher.add({"two": 2})
    time.sleep(0.2)

    assert bell.heard == [{"one": 1}]
    assert bell.wait_for(2) == [{"one": 1}, {"two": 2}]
    publisher.close()


def test_remaining_notifications_are_sent_at_exit(bell):
    publisher = BackgroundPublisher("test", bell, timeout=1, batch_window=30)
    publisher.add({"one": 1})

    publisher.close()

    assert bell.heard == [{"one": 1}]


def test_forked_child_sends_its_own_notifications(bell):
    publisher = BackgroundPublisher("test", bell, timeout=1)
    publisher.add({"parent": 1})
    bell.wait_for(1)
    out, into = os.pipe()

    child = os.fork()
    if not child:
        publisher.add({"child": 2})
        os.write(into, str(bell.wait_for(2)[1:]).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(out, 100) == b"[{'child': 2}]"
    os.close(out)
    os.close(into)
    publisher.close()
