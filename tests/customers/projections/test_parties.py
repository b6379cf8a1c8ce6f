from datetime import timedelta

from customers.projections.parties import fold
from customers.projections.projected_events import ProjectedEvent
from tests.factories import NOON


def party_fact(event, hour=0, /, **properties):
    return ProjectedEvent(
        event,
        NOON + timedelta(hours=hour),
        hour,
        f"{hour:032x}",
        2,
        "app",
        "",
        hour + 1,
        properties,
    )


SEM = party_fact(
    "Party Member Changed", name="Sem", role="child", birth_date="2018-04-02", guardian=""
)


def test_a_child_without_an_account_has_a_guardian():
    sem = fold("sem", [SEM, party_fact("Party Member Changed", 1, guardian="grandpa")])

    assert (sem.role, str(sem.birth_date), sem.guardian) == ("child", "2018-04-02", "grandpa")


def test_removed_member_is_absent_until_added_again():
    removed = party_fact("Party Member Removed", 1)

    assert fold("sem", [SEM, removed]) is None
    assert (
        fold("sem", [SEM, removed, party_fact("Party Member Changed", 2, name="Sem")]).name == "Sem"
    )


def test_unknown_role_does_not_change_a_member():
    assert fold("sem", [SEM, party_fact("Party Member Changed", 1, role="king")]).role == "child"
