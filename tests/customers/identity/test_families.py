import pytest

from customers.identity.families import Family, family_of, filing_rank, is_number
from customers.identity.links import IdentifierNode

FAMILIES = {
    "user_id": Family.ACCOUNT,
    "external:crm": Family.ACCOUNT,
    "email": Family.MAILBOX,
    "card": Family.ATTACHED,
    "phone": Family.ATTACHED,
    "order": Family.REFERENCE,
    "anonymous_id": Family.DEVICE,
    "device": Family.DEVICE,
}


@pytest.mark.parametrize(("kind", "family"), FAMILIES.items())
def test_each_kind_has_its_family(kind, family):
    assert family_of(kind) is family


@pytest.mark.parametrize("kind", ["user_id", "external:contract"])
def test_number_of_which_a_person_may_have_several_is_attached(kind):
    assert family_of(kind, has_several_ids=True) is Family.ATTACHED


@pytest.mark.parametrize("kind", sorted(FAMILIES.keys() - {"user_id", "external:crm"}))
def test_several_ids_of_a_space_change_only_its_numbers(kind):
    assert family_of(kind, has_several_ids=True) is FAMILIES[kind]
    assert filing_rank(kind, has_several_ids=True) == filing_rank(kind)


def test_event_is_filed_on_its_strongest_identifier():
    filing_order = [
        filing_rank("user_id"),
        filing_rank("external:crm"),
        filing_rank("email"),
        filing_rank("card"),
        filing_rank("external:contract", has_several_ids=True),
        filing_rank("phone"),
        filing_rank("order"),
        filing_rank("anonymous_id"),
        filing_rank("device"),
    ]

    assert filing_order == sorted(set(filing_order))


def test_user_id_and_external_number_of_a_several_space_have_one_rank():
    assert filing_rank("user_id", has_several_ids=True) == filing_rank(
        "external:contract", has_several_ids=True
    )


@pytest.mark.parametrize(
    ("kind", "is_a_number"),
    [("user_id", True), ("external:crm", True), ("email", False), ("externally", False)],
)
def test_sources_give_only_user_ids_and_external_numbers(kind, is_a_number):
    assert is_number(kind) is is_a_number


def test_number_is_split_from_its_source_at_the_first_slash():
    node = IdentifierNode(1, "user_id", "7/2026/0042")

    assert (node.source, node.number) == ("7", "2026/0042")


def test_value_of_other_kinds_is_whole_and_has_no_source():
    node = IdentifierNode(1, "email", "noor/work@park.example")

    assert (node.source, node.number) == ("", "noor/work@park.example")
