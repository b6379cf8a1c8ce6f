from datetime import timedelta
from itertools import permutations

import msgspec

from customers.projections.interactions import fold
from customers.projections.projected_events import ProjectedEvent
from tests.factories import NOON

START = ProjectedEvent(
    "Call Started", NOON, 1, "1", 2, "phone", "", 1, {"direction": "in", "from": "+31612345678"}
)
ANSWER = ProjectedEvent(
    "Call Answered", NOON + timedelta(seconds=8), 2, "2", 2, "phone", "", 2, {"user": "sam"}
)
END = ProjectedEvent(
    "Call Ended", NOON + timedelta(minutes=4), 3, "3", 2, "phone", "", 3, {"cause": "hangup"}
)


def test_a_call_from_ring_to_hangup():
    call = fold("call:1", [START, ANSWER, END])

    assert (call.kind, call.status, call.staff, call.direction) == ("call", "ended", "sam", "in")
    assert (call.started_at, call.answered_at, call.ended_at) == (
        START.occurred_at,
        ANSWER.occurred_at,
        END.occurred_at,
    )


def test_unanswered_call_is_missed():
    assert fold("call:1", [START, END]).status == "missed"


def test_the_events_of_a_call_may_arrive_in_any_order():
    assert len({repr(fold("call:1", some)) for some in permutations([START, ANSWER, END])}) == 1


def test_an_ended_call_does_not_ring_again_because_a_clock_was_wrong():
    late = ProjectedEvent(
        "Call Started", END.occurred_at + timedelta(seconds=2), 9, "9", 2, "phone", "", 4, {}
    )

    assert fold("call:1", [ANSWER, END, late]).status == "ended"


def _later(event, minutes, **properties):
    return msgspec.structs.replace(
        event,
        occurred_at=event.occurred_at + timedelta(minutes=minutes),
        message_key=f"{event.message_key}-later",
        version=9,
        properties=event.properties | properties,
    )


def test_transferred_call_goes_on_after_the_first_colleague_hung_up():
    transferred = _later(ANSWER, 5, user="lin")

    call = fold("call:1", [START, ANSWER, END, transferred])

    assert (call.status, call.staff, call.ended_at) == ("answered", "lin", None)
    assert call.details["colleagues"] == "sam, lin"


def test_transferred_call_ends_with_the_second_hangup():
    last = _later(END, 9)

    call = fold("call:1", [last, START, _later(ANSWER, 5, user="lin"), END, ANSWER])

    assert (call.status, call.ended_at) == ("ended", last.occurred_at)


def test_second_answer_of_one_colleague_after_the_end_does_not_reopen_the_call():
    assert fold("call:1", [START, ANSWER, END, _later(ANSWER, 5)]).status == "ended"


def test_call_that_ends_twice_ended_at_the_first_time():
    assert fold("call:1", [START, ANSWER, END, _later(END, 3)]).ended_at == END.occurred_at
