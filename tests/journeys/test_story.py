"""The story of one order, as `make story` tells it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from examples.themepark import families
from tests.customers.identity.company import WireSource

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ticking(park) -> Iterator[None]:
    """Run `manage.py tick` in a separate process, instead of Celery."""
    command = [sys.executable, "manage.py", "tick", "--every", "0.2"]
    with subprocess.Popen(command, cwd=ROOT, env=park.env, stdout=subprocess.DEVNULL) as process:
        yield
        process.terminate()


def _tell(park, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.themepark.story"]
    return subprocess.run(
        [*command, "--base", park.web, "--live", park.live],
        cwd=ROOT,
        env={**park.env, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_story_succeeds_twice_in_a_row(park, ticking):
    first, second = _tell(park), _tell(park)

    for process in (first, second):
        assert process.returncode == 0, process.stdout + process.stderr
        assert "32 of 32 sightings" in process.stdout
        assert "MISSING" not in process.stdout
        assert "WRONG" not in process.stdout
        assert "Everything as it should be." in process.stdout
    # Each run of the story has its own order.
    numbers = [set(re.findall(r"LK-[0-9A-F]{8}", process.stdout)) for process in (first, second)]
    assert len(numbers[0]) == len(numbers[1]) == 1
    assert numbers[0] != numbers[1]


def test_story_without_a_loaded_park_says_what_to_run(park, tmp_path):
    process = _tell(park, BUTLER_HOME=str(tmp_path))

    assert process.returncode == 1
    assert "make run" in process.stdout


def test_story_without_streams_fails(park):
    # The web process has no streams, so the request fails.
    process = _tell(type(park)(park.web, park.web, 0, 0, park.env))

    assert process.returncode == 1
    assert "has no stream" in process.stderr


def test_story_succeeds_after_a_newcomer_identified_customers_with_details_of_its_guests(
    park, ticking
):
    sources = (
        WireSource("Newcomer", ids="newcomer"),
        WireSource("Newcomer who verifies", ids="verified", addresses="checked"),
        WireSource("Newcomer without a space"),
    )
    noor = families.noor(timezone.localdate())

    for source in sources:
        # Two verified accounts of one mailbox of one source are a choice, which Noor would make.
        for user in (noor.key, "8")[: 1 if source.source.addresses else 2]:
            _identify(source, user, email=noor.email, phone=noor.phone, card=noor.card)
        _identify(source, "9", email="jonas@example.com", phone=noor.phone)
        _identify(source, "8", email="newcomer@example.com")
        _identify(source, noor.key, language="nl", first_name="Test")
    process = _tell(park)

    assert process.returncode == 0, process.stdout + process.stderr


def _identify(source: WireSource, user: str, **traits: str) -> None:
    """Send an identify that happens now."""
    now = datetime.now(UTC).isoformat()
    source.send(source.event("identify", 0, user, traits=traits, timestamp=now))
