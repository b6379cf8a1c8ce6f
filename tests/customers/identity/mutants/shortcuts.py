"""Mutants of the owners that are certain without the graph."""

from tests.customers.identity.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "A new card of two customers waits for the rules",
        "shortcuts",
        "            and len(owners_of_ends) == 1\n",
        "",
        ("test_shortcuts::test_new_card_of_two_customers_takes_the_slow_path",),
    ),
    Mutant(
        "A new mailbox of a known customer waits for the rules",
        "shortcuts",
        "            and can_attach\n",
        "",
        ("test_shortcuts::test_new_address_of_a_known_customer_takes_the_slow_path",),
    ),
    Mutant(
        "A new device of a known card waits for the rules",
        "shortcuts",
        "            and ends_join\n",
        "",
        ("test_shortcuts::test_new_device_of_a_known_card_takes_the_slow_path",),
    ),
    Mutant(
        "A noted link gives no owner",
        "shortcuts",
        "        if link.evidence >= STATED and ORDER not in",
        "        if ORDER not in",
        ("test_shortcuts::test_certain_owners_equal_the_owners_by_grouping",),
    ),
    Mutant(
        "A new order of two customers waits for the rules",
        "shortcuts",
        "        if len(candidates) == 1 and (owner := next(iter(candidates)))",
        "        if (owner := next(iter(candidates)))",
        ("test_shortcuts::test_order_of_two_customers_takes_the_slow_path",),
    ),
    Mutant(
        "New customers with one address wait for the rules",
        "shortcuts",
        "    return len(grouped.groups) == 1 and not grouped.contested and mailboxes <= 1",
        "    return mailboxes <= 1",
        ("test_shortcuts::test_certain_owners_equal_the_owners_by_grouping",),
    ),
    Mutant(
        "A new account with two addresses waits for the log",
        "shortcuts",
        "    return len(grouped.groups) == 1 and not grouped.contested and mailboxes <= 1",
        "    return len(grouped.groups) == 1 and not grouped.contested",
        ("test_shortcuts::test_new_account_with_two_addresses_takes_the_slow_path",),
    ),
    Mutant(
        "What is attached to a record has the state attached",
        "shortcuts",
        '    return "joined" if is_joining else "attached"',
        '    return "joined"',
        ("test_shortcuts::test_unknown_identifiers_belong_to_the_new_record",),
    ),
    Mutant(
        "A new order belongs to its only customer",
        "shortcuts",
        "            owners_of_order.setdefault(other, set()).add(owners.get(strongest))",
        "            owners_of_order.setdefault(other, set())",
        ("test_shortcuts::test_a_new_order_belongs_to_the_one_known_customer_it_came_with",),
    ),
    Mutant(
        "Statements of one component have one owner",
        "shortcuts",
        "        parents[root(link.first)] = root(link.second)",
        "        parents[root(link.first)] = root(link.first)",
        ("test_shortcuts::test_new_customers_with_one_address_take_the_slow_path",),
    ),
    Mutant(
        "The identifiers of a new customer have one record",
        "shortcuts",
        "            certain.records.update(dict.fromkeys(keys, created[0]))\n",
        "            pass\n",
        ("test_shortcuts::test_unknown_identifiers_belong_to_the_new_record",),
    ),
    Mutant(
        "A new card is attached to the only customer that it came with",
        "shortcuts",
        "    return family_of(key.kind, has_several_ids=sender.has_several_ids)",
        "    return Family.ACCOUNT",
        ("test_shortcuts::test_new_card_belongs_to_the_known_account_it_came_with",),
    ),
)
