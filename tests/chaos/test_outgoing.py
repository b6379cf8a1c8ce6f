"""What compares sayings with letters has to be silent about a good system and loud otherwise."""

from collections import Counter

import pytest

from bench.chaos import seeded_outgoing
from bench.chaos.outgoing import Cause, Outgoing, Run, Said, Withdrawal, check
from bench.sink import Taken

SEEDS = range(30)

CAUSE = Cause("event", "offer", ("email", "inbox"), "noor@example.com")
RUN = Run("run", "offer", "noor", "event", "done")
MAIL, NOTE = Said("mail", "run", "email", "accepted"), Said("note", "run", "inbox", "delivered")
LETTER = Taken(1.0, "mail", "noor@example.com", "offers", "Offer", "hash", True)
WELL = Outgoing([CAUSE], [], [RUN], [MAIL, NOTE], [LETTER], [], {})


def found(**changes):
    return [finding.check for finding in check(WELL._replace(**changes))]


@pytest.mark.slow
def test_a_post_office_that_keeps_its_promises_is_not_accused():
    findings = [(seed, str(one)) for seed in range(200) for one in seeded_outgoing.run(seed)]

    assert findings == []


@pytest.mark.slow
@pytest.mark.parametrize("bug", seeded_outgoing.BUGS)
def test_every_seeded_bug_is_caught(bug):
    caught = Counter(
        check for seed in SEEDS for check in {one.check for one in seeded_outgoing.run(seed, bug)}
    )

    _, expected = seeded_outgoing.BUGS[bug]
    assert caught[expected] >= len(SEEDS) / 2, caught


def test_a_clean_run_has_no_findings():
    assert found() == []


def test_a_letter_a_microsecond_after_the_word_is_found():
    before = Withdrawal("noor@example.com", "offers", 1.0)
    after = before._replace(at=0.999999)

    assert "C6" not in found(withdrawals=[before])
    assert "C6" in found(withdrawals=[after])


def test_a_report_that_was_heard_and_not_kept_is_found():
    assert found(heard={"note"}) == []
    assert found(heard={"mail"}) == ["C7"]


def test_a_text_that_nobody_said_is_found_as_a_letter_is():
    text = LETTER._replace(message_id="text", recipient="+31612000000")

    assert found(letters=[LETTER, text]) == ["C3"]
    assert (
        found(letters=[LETTER, text], said=[MAIL, NOTE, MAIL._replace(id="text", channel="sms")])
        == []
    )


def test_what_was_declined_through_one_channel_is_an_answer():
    declined = RUN._replace(declined=frozenset({"inbox"}))

    assert found(runs=[declined], said=[MAIL]) == []
    assert found(said=[MAIL]) == ["C7"]


def test_two_letters_of_one_message_are_one_too_many_unless_it_says_it_is_not_sure():
    unsure = MAIL._replace(state="uncertain", is_unsure=True)

    assert found(letters=[LETTER, LETTER]) == ["C7"]
    assert found(letters=[LETTER, LETTER], said=[unsure, NOTE]) == []


def test_a_letter_of_nobody_is_found():
    assert found(letters=[LETTER, LETTER._replace(message_id="x", subject="y")]) == ["C3"]


def test_what_is_left_over_is_found():
    assert found(left_over={"leases": 1}) == ["C11"]
