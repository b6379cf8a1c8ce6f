from hypothesis import given
from hypothesis import strategies as st

from customers.fault_isolation import describe_fault, split_sound_and_faulty


def fold(events):
    """Add up; a negative number cannot be added."""
    total = 0
    for event in events:
        total += event
        if event < 0:
            raise ValueError(event)
    return total


@given(st.lists(st.integers()))
def test_every_event_is_sound_or_faulty_and_keeps_its_place(events):
    sound, faulty = split_sound_and_faulty(events, fold)

    assert sound == [event for event in events if event >= 0]
    assert [event for event, _ in faulty] == [event for event in events if event < 0]
    assert all(isinstance(error, ValueError) for _, error in faulty)


def test_event_that_fails_only_beside_another_is_the_later_one():
    def fold(events):
        return {"a", "b"} <= set(events) and 1 // 0

    assert split_sound_and_faulty(["x", "a", "y", "b", "z"], fold)[0] == ["x", "a", "y", "z"]


def test_finding_few_among_many_takes_few_folds():
    folds = 0

    def counted(events):
        nonlocal folds
        folds += 1
        fold(events)

    events = [-1 if number in (100, 900) else 1 for number in range(1024)]

    assert len(split_sound_and_faulty(events, counted)[1]) == 2
    assert folds <= 2 * (2 * 10 + 1)


def test_fault_is_described_without_the_value_that_caused_it():
    try:
        fold([-31612345678])
    except ValueError as error:
        described = describe_fault(error)

    assert described.startswith("ValueError in tests/customers/test_fault_isolation.py:")
    assert "31612345678" not in described
