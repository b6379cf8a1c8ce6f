"""The lock is whole: every package pinned, every pin hashed, everything asked for in it."""

import re

from deploy.local.environment import locked_packages, normalize_name
from tests.architecture.tree import ROOT

LOCK = (ROOT / "requirements.txt").read_text()


def test_every_pin_has_hashes():
    pins = re.split(r"\n(?=\S)", LOCK.strip())

    assert len(pins) == len(locked_packages()) > 100
    for pin in pins:
        assert re.match(
            r"[\w.-]+==[\w.!+]+(?: ;[^\\]*)? \\\n    --hash=sha256:[0-9a-f]{64}", pin
        ), pin


def test_the_lock_names_no_place_to_download_from():
    assert "://" not in LOCK
    assert " @ " not in LOCK


def test_what_is_asked_for_is_locked():
    names = re.findall(r"^[\w.-]+", (ROOT / "requirements.in").read_text(), re.MULTILINE)

    assert {normalize_name(name) for name in names} <= locked_packages()


def test_django_channels_is_not_in_the_lock():
    assert "channels" not in locked_packages()
