"""Mutants of the rules about the addresses of an account and the order of links."""

from tests.customers.identity.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "A source replaces the earlier address that it stated itself",
        "addresses",
        "            if statement.mailbox != current and (customer, statement.mailbox) not in proved",
        "            if False",
        ("test_addresses::test_unproved_address_is_replaced_at_once_by_a_later_one",),
    ),
    Mutant(
        "A source never replaces an address that only another source stated",
        "addresses",
        "        by_source[statement.account, statement.source_id].append(statement)",
        "        by_source[statement.account, 0].append(statement)",
        (
            "test_addresses::test_nightly_repetition_of_one_source_does_not_replace_the_address_of_another",
        ),
    ),
    Mutant(
        "No source replaces a proved address",
        "addresses",
        "            if statement.mailbox != current and (customer, statement.mailbox) not in proved",
        "            if statement.mailbox != current",
        ("test_addresses::test_proved_address_is_not_replaced_and_the_new_one_is_pending",),
    ),
    Mutant(
        "A source confirms no second mailbox of an account at once",
        "addresses",
        "        if proof.is_by_customer or not proved or proof.mailbox in proved:",
        "        if True:",
        ("test_addresses::test_second_mailbox_that_a_source_confirmed_is_pending",),
    ),
    Mutant(
        "A customer proves a second mailbox of an account at once",
        "addresses",
        "        if proof.is_by_customer or not proved or proof.mailbox in proved:",
        "        if not proved or proof.mailbox in proved:",
        ("test_addresses::test_customer_proves_a_second_mailbox",),
    ),
    Mutant(
        "An address that a source names after a proof is pending",
        "addresses",
        "        is_pending = customer in proved_at and first_at > proved_at[customer]",
        "        is_pending = False",
        (
            "test_addresses::test_address_of_another_source_is_pending_while_the_account_has_a_proved_one",
        ),
    ),
    Mutant(
        "An address that a source named before the proof of another one stays",
        "addresses",
        "        is_pending = customer in proved_at and first_at > proved_at[customer]",
        "        is_pending = customer in proved_at",
        (
            "test_addresses::test_address_that_a_source_named_before_the_proof_of_another_one_stays_current",
        ),
    ),
    Mutant(
        "A nightly repetition restores no earlier address",
        "addresses",
        "        first_at = first_stated.get(latest[:3], latest.occurred_at)",
        "        first_at = latest.occurred_at",
        (
            "test_addresses::test_address_that_a_source_named_before_the_proof_of_another_one_stays_current",
        ),
    ),
    Mutant(
        "The later event time decides, whatever arrived first",
        "addresses",
        "    return statement.occurred_at, statement.arrival, statement.mailbox",
        "    return statement.arrival, statement.occurred_at, statement.mailbox",
        ("test_addresses::test_late_event_with_an_earlier_time_replaces_nothing_newer",),
    ),
    Mutant(
        "The arrival decides between statements of one moment",
        "addresses",
        "    return statement.occurred_at, statement.arrival, statement.mailbox",
        "    return statement.occurred_at, statement.mailbox",
        ("test_addresses::test_arrival_decides_between_addresses_of_the_same_moment",),
    ),
    Mutant(
        "A proof of the source's own address ends its typing mistake",
        "addresses",
        "None if has_proved or is_pending else latest.mailbox",
        "None if is_pending else latest.mailbox",
        ("test_addresses::test_proved_address_makes_a_later_typo_of_its_source_not_current",),
    ),
    Mutant(
        "A value with more than five mailboxes is a placeholder",
        "addresses",
        "MAX_MAILBOXES = 5",
        "MAX_MAILBOXES = 6",
        ("test_addresses::test_value_with_more_than_five_mailboxes_in_a_year_is_a_placeholder",),
    ),
    Mutant(
        "Five mailboxes are none too many",
        "addresses",
        "MAX_MAILBOXES = 5",
        "MAX_MAILBOXES = 4",
        ("test_addresses::test_value_with_more_than_five_mailboxes_in_a_year_is_a_placeholder",),
    ),
    Mutant(
        "The mailboxes of a placeholder lie within one year",
        "addresses",
        "        later - earlier <= _YEAR\n",
        "        True\n",
        ("test_addresses::test_value_with_more_than_five_mailboxes_in_a_year_is_a_placeholder",),
    ),
    Mutant(
        "Of a proved address, the earliest proof counts",
        "addresses",
        "        proved_at[customer] = min(time, ",
        "        proved_at[customer] = max(time, ",
        ("test_addresses::test_address_between_two_proofs_is_pending",),
    ),
    Mutant(
        "The customer's last decision about a pair counts",
        "links",
        "    ordered = sorted(decisions, key=lambda decision: (decision.decided_at,"
        " decision.number))",
        "    ordered = sorted(decisions, key=lambda decision: (decision.number,"
        " decision.decided_at), reverse=True)",
        ("test_decisions::test_last_decision_about_a_pair_counts",),
    ),
    Mutant(
        "The number decides between decisions of one moment",
        "links",
        "    ordered = sorted(decisions, key=lambda decision: (decision.decided_at,"
        " decision.number))",
        "    ordered = sorted(decisions, key=lambda decision: decision.decided_at)",
        ("test_decisions::test_number_decides_which_of_two_merges_of_one_moment_joins_first",),
    ),
    Mutant(
        "A repeated merge takes the place of its last time",
        "links",
        "        latest.pop(decision.pair, None)\n",
        "",
        ("test_decisions::test_merge_that_was_repeated_takes_the_place_of_its_last_time",),
    ),
    Mutant(
        "A link has its earliest time",
        "links",
        "        earliest = min(self, other, key=",
        "        earliest = max(self, other, key=",
        ("test_link_values::test_time_of_two_statements_has_the_earliest_and_the_last",),
    ),
    Mutant(
        "A link has the time of its last statement, too",
        "links",
        "max(self.last_at, other.last_at)",
        "min(self.last_at, other.last_at)",
        ("test_link_values::test_time_of_two_statements_has_the_earliest_and_the_last",),
    ),
    Mutant(
        "Opened is as good as confirmed for joining",
        "links",
        "        return self.evidence >= OPENED",
        "        return self.evidence > OPENED",
        (
            "test_grouping_rules::test_earliest_of_two_proofs_has_the_mailbox_whatever_their_strength",
        ),
    ),
    Mutant(
        "The link of equal numbers does not depend on the arrival",
        "links",
        "    first, second = sorted((first_source, second_source))",
        "    first, second = first_source, second_source",
        (
            "test_link_values::test_time_of_equal_numbers_does_not_depend_on_which_source_came_first",
        ),
    ),
    Mutant(
        "Equal numbers of two sources are one number",
        "links",
        '        return self.value.partition("/")[2] if is_number(self.kind) else self.value',
        "        return self.value",
        ("test_decisions::test_merged_numbers_count_as_one_for_another_source_of_the_space",),
    ),
    Mutant(
        "A pair has one order",
        "links",
        "    return (first, second) if first < second else (second, first)",
        "    return (first, second)",
        ("test_link_values::test_pair_has_the_smaller_id_first",),
    ),
    Mutant(
        "The order of identifiers does not depend on their arrival",
        "links",
        "        return self.rank, self.kind, self.value, self.id",
        "        return self.rank, self.id, self.kind, self.value",
        ("test_decisions::test_merge_of_two_numbers_does_not_let_a_third_one_in",),
    ),
    Mutant(
        "The arrival decides between links of one moment",
        "links",
        "        return self.occurred_at, self.arrival",
        "        return self.occurred_at, -self.arrival",
        ("test_grouping_rules::test_arrival_decides_between_links_of_the_same_moment",),
    ),
    Mutant(
        "Numbers of a space with several per person have another family",
        "links",
        "        return family_of(self.kind, has_several_ids=self.has_several_ids)",
        "        return family_of(self.kind)",
        ("test_attached::test_attached_identifier_is_attached_to_an_account_or_a_mailbox",),
    ),
    Mutant(
        "Two sources are two",
        "links",
        '        return self.value.partition("/")[0] if is_number(self.kind) else ""',
        '        return ""',
        ("test_grouping_rules::test_noted_number_finds_nobody_in_main",),
    ),
    Mutant(
        "A contract number is weaker than a card",
        "links",
        "        return filing_rank(self.kind, has_several_ids=self.has_several_ids)",
        "        return filing_rank(self.kind)",
        ("test_attached::test_attached_identifier_is_attached_to_an_account_or_a_mailbox",),
    ),
)
