"""The published clients, unchanged, through a network that is not kind: none lost, none doubled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from customers.models import Customer, Event, QuarantinedItem
from tests.channels.wire_client import source
from tests.clients.faults import FAULTS, FaultyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

DRIVERS = Path(__file__).parent / "drivers"
COUNT = 120


def drive(command: list, url: str, key: str, prefix: str, **env: str) -> str:
    """Let a client send COUNT events, and return what it complained of."""
    process = subprocess.run(
        [*command, url, key, str(COUNT), prefix],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def check(network: FaultyNetwork, complaints: str, prefix: str) -> None:
    expected = {f"{prefix}-{n}" for n in range(COUNT)}
    stored = list(Event.objects.filter(evidence=1).values_list("message_id", flat=True))

    lost, doubled = expected - set(stored), len(stored) - len(set(stored))
    print(f"{prefix}: {COUNT} sent, {len(lost)} lost, {doubled} doubled, {dict(network.counts)}")
    assert complaints == ""
    assert not lost
    assert not doubled
    assert set(stored) == expected
    assert not QuarantinedItem.objects.exists()
    for customer in Customer.objects.all():
        versions = customer.event_set.order_by("version").values_list("version", flat=True)
        assert list(versions) == list(range(1, customer.version + 1))


@pytest.mark.parametrize("release", ["2.4.0", "2.3.4"])
def test_segment_python_client_loses_and_duplicates_nothing(running, segment_2_3, release):
    _, key = source()
    older = {"PYTHONPATH": str(segment_2_3)} if release == "2.3.4" else {}
    command = [sys.executable, DRIVERS / "segment_python.py"]
    prefix = f"segment-python-{release}"

    with FaultyNetwork(running.web) as network:
        complaints = drive(command, network.url, key, prefix, **older)

    check(network, complaints, prefix)
    assert set(network.counts) == set(FAULTS)


def test_segment_node_client_loses_and_duplicates_nothing(running, node):
    _, key = source()

    with FaultyNetwork(running.web) as network:
        complaints = drive([node, DRIVERS / "segment_node.cjs"], network.url, key, "segment-node")

    check(network, complaints, "segment-node")
    assert set(network.counts) == set(FAULTS)


def test_rudderstack_python_client_loses_and_duplicates_nothing(running):
    _, key = source()
    command = [sys.executable, DRIVERS / "rudder_python.py"]

    with FaultyNetwork(running.web) as network:
        complaints = drive(command, network.url, key, "rudder-python")

    check(network, complaints, "rudder-python")
    assert set(network.counts) == set(FAULTS)


def test_rudderstack_node_client_loses_and_duplicates_nothing(running, node):
    _, key = source()

    with FaultyNetwork(running.web) as network:
        complaints = drive([node, DRIVERS / "rudder_node.cjs"], network.url, key, "rudder-node")

    check(network, complaints, "rudder-node")
    assert set(network.counts) == set(FAULTS)


@pytest.mark.parametrize("release", ["2.4.0", "2.3.4"])
def test_driver_imports_the_chosen_release(segment_2_3, release):
    older = {"PYTHONPATH": str(segment_2_3)} if release == "2.3.4" else {}
    code = "from segment.analytics.version import VERSION; print(VERSION, end='')"

    process = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | older, capture_output=True, text=True
    )

    assert process.stdout == release
