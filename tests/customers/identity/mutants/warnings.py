"""Mutants of the rules about placeholders and of the warnings to a source."""

from tests.customers.identity.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "A publishable key reads no warnings",
        "identifier_warnings",
        "    if sender.is_public:\n"
        "        return []\n"
        "    return merge_warnings(\n"
        "        IngestWarning(code",
        "    return merge_warnings(\n        IngestWarning(code",
        ("test_identifier_warnings::test_publishable_key_warns_of_nothing",),
    ),
    Mutant(
        "The sender reads about the company's address",
        "identifier_warnings",
        '                yield "non_identifier"',
        "                yield from ()",
        ("test_filing::test_source_reads_about_the_address_of_the_company_that_its_desk_typed",),
    ),
    Mutant(
        "The sender reads about each value that was left out",
        "identifier_warnings",
        "            yield code\n",
        "            yield from ()\n",
        ("test_identifier_warnings::test_value_that_is_left_out_has_one_warning",),
    ),
    Mutant(
        "A phone is never a placeholder",
        "placeholders",
        " and row.kind != PHONE",
        "",
        ("test_placeholder_values::test_value_that_owners_state_with_six_mailboxes",),
    ),
    Mutant(
        "A card or a contract number can be a placeholder",
        "placeholders",
        "    is_card_or_number = row.node.family is Family.ATTACHED and",
        "    is_card_or_number = row.node.family is Family.ACCOUNT and",
        ("test_placeholder_values::test_value_that_owners_state_with_six_mailboxes",),
    ),
    Mutant(
        "A placeholder is found once",
        "placeholders",
        "    return is_card_or_number and not row.is_placeholder",
        "    return is_card_or_number",
        ("test_placeholder_values::test_value_that_owners_state_with_six_mailboxes",),
    ),
    Mutant(
        "Only statements of owners make a placeholder",
        "placeholders",
        " and attaching.link.evidence == STATED:",
        ":",
        ("test_placeholder_values::test_card_that_is_no_placeholder",),
    ),
    Mutant(
        "The mailboxes of a card count within one year",
        "placeholders",
        "    return addresses.is_placeholder(times)",
        "    return len(times) > addresses.MAX_MAILBOXES",
        ("test_placeholder_values::test_card_that_is_no_placeholder",),
    ),
    Mutant(
        "An account counts as its first mailbox",
        "placeholders",
        "mailboxes.get(attaching.other.id)",
        "attaching.other.id",
        ("test_placeholder_values::test_account_counts_as_its_first_mailbox",),
    ),
    Mutant(
        "Accounts are read with their mailboxes",
        "placeholders",
        '    return dict(sql.rows("read_first_mailboxes", {"ids": sorted(accounts)}))',
        "    return {}",
        ("test_placeholder_values::test_account_counts_as_its_first_mailbox",),
    ),
    Mutant(
        "The sender reads about refused statements",
        "contest_warnings",
        "    return [IngestWarning(CONTESTED, len(examples), examples[0])] if examples else []",
        "    return []",
        (
            "test_contest_values::test_sender_reads_how_many_statements_were_refused_and_the_first_one",
        ),
    ),
    Mutant(
        "Two customers of one browser are no contest",
        "contest_warnings",
        "        if WEAK_KINDS.isdisjoint((link.first.kind, link.second.kind))\n",
        "",
        ("test_contest_values::test_link_with_a_device_is_no_contest",),
    ),
    Mutant(
        "Equal numbers of main are no contest",
        "contest_warnings",
        "    if sender.space_id == MAIN_SPACE_ID:\n        return set()\n",
        "",
        ("test_contest_values::test_equal_number_of_main_is_no_contest",),
    ),
    Mutant(
        "Statements about an equal number of a named space are counted",
        "contest_warnings",
        "any(resolved[key].id in ids for key in stated.keys)",
        "False",
        (
            "test_contest_values::test_statements_about_an_equal_number_of_a_named_space_are_counted",
        ),
    ),
    Mutant(
        "Publishable keys read nothing about contests",
        "contest_warnings",
        "    if sender.is_public or not refused:",
        "    if not refused:",
        ("test_contest_values::test_publishable_key_reads_no_warning",),
    ),
    Mutant(
        "Without a contest there is no warning",
        "contest_warnings",
        "    if not contested:\n        return []\n",
        "",
        ("test_contest_values::test_batch_without_a_contest_asks_nobody",),
    ),
)
