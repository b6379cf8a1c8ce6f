"""The checker has to be silent about a good system and loud about every bad one."""

from collections import Counter

import pytest

from bench.chaos import request_log, seeded
from bench.chaos.checker import Observations, ShownEvent, StoredEvent, WatchedLog, check
from bench.chaos.request_log import Acknowledgement, Request, RequestLog, SentEvent

SEEDS = range(30)


@pytest.mark.slow
def test_system_without_bugs_has_no_findings(tmp_path):
    findings = [str(finding) for seed in range(100) for finding in seeded.run(seed, tmp_path)]

    assert findings == []


@pytest.mark.slow
@pytest.mark.parametrize("bug", seeded.BUGS)
def test_every_seeded_bug_is_caught(tmp_path, bug):
    counts = Counter(
        check
        for seed in SEEDS
        for check in {finding.check for finding in seeded.run(seed, tmp_path, bug)}
    )

    _, expected = seeded.BUGS[bug]
    # Chance decides whether a bug strikes in a run; over the seeds it has to be seen often.
    assert counts[expected] >= len(SEEDS) / 2, counts


def answered_request(
    *events: SentEvent, accepted: int = 0, duplicates: int = 0, quarantined: int = 0
) -> Request:
    request = Request(0, events)
    request.attempts = 1
    request.acknowledgements.append(Acknowledgement(accepted, duplicates, quarantined))
    return request


def test_a_clean_run_has_no_findings():
    request = answered_request(
        SentEvent("a", "noor"), SentEvent("b", "noor", is_valid=False), accepted=1, quarantined=1
    )
    watched_log = WatchedLog("c1", 0, [ShownEvent(1, "a", "noor")])
    observed = Observations([StoredEvent("c1", 1, "a", "noor")], {"c1": 1}, ["b"], [watched_log])

    assert check([request], observed) == []


def test_event_stored_without_an_answer_is_unknown_and_no_phantom():
    request = Request(0, [SentEvent("a", "noor")])
    request.attempts = 1
    observed = Observations([StoredEvent("c1", 1, "a", "noor")], {"c1": 1}, [])

    assert [finding.check for finding in check([request], observed)] == ["C4"]


def test_log_with_fewer_events_than_its_version_is_found():
    observed = Observations([], {"c1": 2}, [])

    assert [finding.check for finding in check([], observed)] == ["C9"]


def test_request_log_reads_back_as_it_was_written(tmp_path):
    path = tmp_path / "ledger"
    with RequestLog(path) as log:
        answered = log.create_request(
            [SentEvent("a", "noor"), SentEvent("b", "lin", is_valid=False)]
        )
        lost = log.create_request([SentEvent("c", "noor")])
        log.add_attempt(answered, 1.0)
        log.add_unknown(answered, 2.0, "503")
        log.add_attempt(answered, 3.0)
        log.add_acknowledgement(answered, 4.0, Acknowledgement(1, 0, 1))
        log.add_attempt(lost, 5.0)

        requests = request_log.read(path)

    assert [
        (request.number, request.events, request.attempts, request.acknowledgements)
        for request in requests
    ] == [
        (0, answered.events, 2, [Acknowledgement(1, 0, 1)]),
        (1, lost.events, 1, []),
    ]
    assert [request.is_unknown for request in requests] == [False, True]
