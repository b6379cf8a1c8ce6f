"""The command as the owner of a receipt runs it: without database, network or settings."""

import json
import os
import subprocess
import sys

import pytest

from customers.consent import ledger_export, signing
from tests import factories
from tests.conftest import ROOT
from tests.customers import consent_helpers
from tests.customers.consent_helpers import give, refuse, say, withdraw

GENUINE, FORGED, CANNOT_TELL = 0, 1, 2


def verify(*arguments, **env):
    """Run the command where nothing of ours is in reach."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # A home without services, so that those of a running copy are not found either.
    alone = inherited | {"BUTLER_HOME": "/nonexistent"} | env
    return subprocess.run(
        [sys.executable, "manage.py", "verify_receipt", *map(str, arguments)],
        cwd=ROOT,
        env=alone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def noor(db):
    consent_helpers.house()
    customer = factories.customer(("user_id", "noor"))
    for word in (give(), withdraw(), refuse("surveys")):
        say(customer.id, word)
    return customer


@pytest.fixture
def keys(noor, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": signing.published_keys()}))
    return path


@pytest.fixture
def ledger(noor, tmp_path):
    path = tmp_path / "ledger.json"
    path.write_bytes(ledger_export.export_ledger(noor.id, part=None))
    return path


@pytest.mark.slow
def test_receipt_of_each_kind_of_statement_is_verified_with_the_public_keys(noor, keys, tmp_path):
    [entry] = say(noor.id, withdraw("surveys")).entries
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(ledger_export.receipt(noor.id, entry, part=None))

    process = verify(receipt, "--keys", keys)

    assert (process.returncode, process.stderr) == (GENUINE, "")
    assert "genuine (1 receipt)" in process.stdout


@pytest.mark.slow
def test_a_whole_ledger_is_genuine_and_one_with_a_gap_is_not(ledger, keys):
    assert "genuine (3 receipts)" in verify(ledger, "--keys", keys).stdout

    export = json.loads(ledger.read_text())
    del export["chains"][0][1]
    ledger.write_text(json.dumps(export))
    process = verify(ledger, "--keys", keys)

    assert process.returncode == FORGED
    assert "it is at the place of entry 2" in process.stderr
    assert "does not follow the entry before it" in process.stderr


@pytest.mark.slow
def test_a_refusal_turned_into_a_consent_is_not_genuine(ledger, keys):
    ledger.write_text(ledger.read_text().replace("consent.refused", "consent.given"))

    process = verify(ledger, "--keys", keys)

    assert process.returncode == FORGED
    assert "the signature does not match the receipt" in process.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"),
    [("{}", "not a receipt"), ("not json", "not JSON")],
)
def test_invalid_receipt_is_reported(content, reason, keys, tmp_path):
    path = tmp_path / "something"
    path.write_text(content)

    process = verify(path, "--keys", keys)

    assert (process.returncode, reason in process.stderr) == (CANNOT_TELL, True)


@pytest.mark.slow
def test_receipt_without_a_known_key_cannot_be_verified(ledger, tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"keys": []}')

    process = verify(ledger, "--keys", other)

    assert process.returncode == CANNOT_TELL
    assert "signed with the unknown key" in process.stderr
    assert verify(ledger).returncode == CANNOT_TELL
    assert verify(tmp_path / "nothing").returncode == CANNOT_TELL


@pytest.mark.slow
def test_installation_verifies_receipts_with_its_own_key(ledger, settings):
    assert verify(ledger, RECEIPT_KEY=settings.RECEIPT_KEY).returncode == GENUINE
