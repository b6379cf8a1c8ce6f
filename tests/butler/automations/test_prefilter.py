import pytest

from butler.automations import prefilter
from tests.butler.live_automations import SAY, TEXTS, document

AGAIN = {"kind": "next_channel", "within": "2h", "channels": ["sms"]}


def say(*channels, **fields):
    return {"kind": "message", "channels": list(channels), "texts": TEXTS} | fields


def of(*steps):
    return prefilter.initial_choices(document(steps=list(steps)))


def test_a_message_is_one_choice_among_its_channels():
    assert of(say("email", "inbox")) == (("email", "inbox"),)


def test_a_message_in_every_channel_is_a_choice_for_each():
    assert of(say("email", "inbox", every=True)) == (("email",), ("inbox",))


def test_next_channel_step_adds_no_choice():
    assert of(say("email"), AGAIN) == (("email",),)


def test_each_channel_occurs_once_in_the_prefilter():
    assert prefilter.all_channels(of(say("email", "inbox"), say("inbox", "sms"))) == (
        "email",
        "inbox",
        "sms",
    )


@pytest.mark.parametrize(
    "step",
    [
        pytest.param({"kind": "wait", "length": "2h"}, id="a wait"),
        pytest.param({"kind": "wait_for", "event": "Visit", "within": "2h"}, id="an event"),
        pytest.param({"kind": "branch", "when": "true", "then": [SAY]}, id="a branch"),
        pytest.param({"kind": "task", "title": "Call"}, id="a task"),
    ],
)
def test_automation_with_a_wait_branch_or_task_has_no_prefilter(step):
    assert of(say("email"), step) == ()
    assert of(step, say("email")) == ()


def test_gates_name_the_code_of_each_refused_channel():
    gates = prefilter.denial_gates(
        ("email", "inbox"), {"email": "no_address", "inbox": "topic_off"}
    )

    assert [(gate.layer, gate.code, gate.inputs) for gate in gates] == [
        ("legal", "no_address", {"channel": "email"}),
        ("preference", "topic_off", {"channel": "inbox"}),
    ]
    assert {gate.verdict for gate in gates} == {"deny"}
