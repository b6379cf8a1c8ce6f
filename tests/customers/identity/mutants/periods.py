"""Mutants of the rules about the periods of an address and about separations."""

from tests.customers.identity.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "A separation ends when the customer proves both ends after it",
        "separations",
        "        elif pair not in proved_at or proved_at[pair] <= decision.decided_at:",
        "        else:",
        ("test_continued_periods::test_proof_in_one_period_ends_the_separation_from_another_one",),
    ),
    Mutant(
        "A proof before the separation does not end it",
        "separations",
        "        elif pair not in proved_at or proved_at[pair] <= decision.decided_at:",
        "        elif pair not in proved_at:",
        ("test_decisions::test_separation_is_not_ended_by",),
    ),
    Mutant(
        "Statements of sources end no separation",
        "separations",
        "        if link.own_proof_at:\n",
        "        if link.own_proof_at or link.is_proved:\n",
        ("test_continued_periods::test_address_that_was_proved_and_taken_off_ended_its_period",),
    ),
    Mutant(
        "The last of several proofs counts",
        "separations",
        "            proved_at[pair] = max(link",
        "            proved_at[pair] = min(link",
        ("test_decisions::test_latest_of_several_proofs_counts_for_a_separation",),
    ),
    Mutant(
        "A later merge ends a separation",
        "separations",
        "            since.pop(pair, None)",
        "            pass",
        (
            "test_continued_periods::test_merge_with_one_period_ends_the_separation_from_another_one",
        ),
    ),
    Mutant(
        "Of two decisions about a pair, the later one counts",
        "separations",
        "    for decision in sorted(decisions, key=lambda decision:"
        " (decision.decided_at, decision.number)):",
        "    for decision in decisions:",
        ("test_decisions::test_last_decision_about_a_pair_counts",),
    ),
    Mutant(
        "A separation from an address holds in all of its periods",
        "separations",
        "        for ends in product([first, *periods[first]], [second, *periods[second]])",
        "        for ends in product([first], [second])",
        ("test_continued_periods::test_separation_from_one_period_holds_in_all_of_them",),
    ),
    Mutant(
        "A decision about a later period counts for the address",
        "separations",
        "    first, second = (firsts.get(id_, id_) for id_ in pair)",
        "    first, second = pair",
        ("test_continued_periods::test_pair_of_two_periods_of_one_address_stays_as_it_is",),
    ),
    Mutant(
        "Two periods of one address may be separated",
        "separations",
        "    return pair if first == second else pair_of(first, second)",
        "    return pair_of(first, second)",
        ("test_continued_periods::test_pair_of_two_periods_of_one_address_stays_as_it_is",),
    ),
    Mutant(
        "The third period of an address is one of its periods",
        "separations",
        "        firsts[link.second] = firsts.get(link.first, link.first)",
        "        firsts[link.second] = link.first",
        ("test_continued_periods::test_periods_lead_to_the_first_one",),
    ),
    Mutant(
        "A separation holds since its first decision",
        "separations",
        "            since.setdefault(pair, decision.decided_at)",
        "            since[pair] = decision.decided_at",
        (
            "test_continued_periods::test_later_separation_from_another_period_counts_since_the_first_one",
        ),
    ),
    Mutant(
        "An event belongs to the period of its time",
        "periods",
        "    begun = [period for period in periods if period.starts_at <= moment]",
        "    begun = list(periods)",
        ("test_periods::test_event_belongs_to_the_last_period_that_had_begun",),
    ),
    Mutant(
        "A period begins with its first moment",
        "periods",
        "if period.starts_at <= moment]",
        "if period.starts_at < moment]",
        ("test_periods::test_event_belongs_to_the_last_period_that_had_begun",),
    ),
    Mutant(
        "The last period that had begun counts",
        "periods",
        "    return max(begun).number",
        "    return min(begun).number",
        ("test_periods::test_event_belongs_to_the_last_period_that_had_begun",),
    ),
    Mutant(
        "An erasure ends a period",
        "periods",
        "    if is_across_erasures(by_id, *border.pair):\n        return True\n",
        "",
        ("test_continued_periods::test_erasure_ended_the_period",),
    ),
    Mutant(
        "A period ends only if the account had proved the address",
        "periods",
        "    return was_proved",
        "    return True",
        (
            "test_continued_periods::test_address_that_the_account_had_not_confirmed_ended_no_period",
        ),
    ),
    Mutant(
        "A code that opened the account proved the mailbox only",
        "periods",
        "            was_proved |= link.evidence >= CONFIRMED",
        "            was_proved |= link.is_proved",
        (
            "test_continued_periods::test_address_that_the_account_had_not_confirmed_ended_no_period",
        ),
    ),
    Mutant(
        "A proof that was taken off ends the period",
        "periods",
        "            was_proved |= link.evidence >= CONFIRMED",
        "            pass",
        ("test_continued_periods::test_address_that_was_proved_and_taken_off_ended_its_period",),
    ),
    Mutant(
        "No period ends while another account has the address",
        "periods",
        "            return False\n    return was_proved",
        "            pass\n    return was_proved",
        ("test_continued_periods::test_address_that_another_account_has_ended_no_period",),
    ),
    Mutant(
        "A replaced address of another account keeps no period",
        "periods",
        " and (link.is_proved or link.is_current):",
        ":",
        (
            "test_continued_periods::test_address_that_another_account_replaced_or_only_noted_ended_its_period",
        ),
    ),
    Mutant(
        "A separation after the border did not end the period at it",
        "periods",
        "        if time is not None and time <= border.occurred_at:",
        "        if time is not None:",
        ("test_continued_periods::test_address_that_another_account_lost_later_was_still_on_it",),
    ),
    Mutant(
        "A noted address ends no period",
        "periods",
        "_is_phone(by_id, link))\n        and has_sufficient_evidence(by_id, link)",
        "_is_phone(by_id, link))",
        (
            "test_continued_periods::test_address_that_another_account_replaced_or_only_noted_ended_its_period",
        ),
    ),
    Mutant(
        "A phone has periods, too",
        "periods",
        " or _is_phone(by_id, link))",
        ")",
        ("test_continued_periods::test_phone_that_was_proved_and_taken_off_ended_its_period",),
    ),
    Mutant(
        "A phone of a card only has no holder",
        "periods",
        "    return any(end.kind == PHONE for end in ends) and any(\n"
        "        end.family in JOINING_FAMILIES for end in ends\n"
        "    )",
        "    return any(end.kind == PHONE for end in ends)",
        ("test_continued_periods::test_card_is_no_holder_of_a_phone",),
    ),
    Mutant(
        "Periods that did not end are one with all before",
        "periods",
        "            periods.add(earlier.first)",
        "            pass",
        (
            "test_continued_periods::test_holder_in_an_earlier_period_that_is_one_with_this_one_holds_it",
        ),
    ),
    Mutant(
        "A period that ended is not continued",
        "periods",
        "        if not _has_ended(by_id, border, removed_at):\n            continued",
        "        if True:\n            continued",
        ("test_continued_periods::test_address_that_was_proved_and_taken_off_ended_its_period",),
    ),
    Mutant(
        "A phone that is taken off one identifier is taken off the record",
        "periods",
        "                phones_since[phone_of_record] = min(time, phones_since.get(phone_of_record, time))",
        "                pass",
        (
            "test_continued_periods::test_phone_that_was_taken_off_the_account_is_taken_off_its_mailbox_too",
        ),
    ),
    Mutant(
        "Only phones are taken off a record",
        "periods",
        " and by_id[phone].kind == PHONE:",
        ":",
        (
            "test_continued_periods::test_mailbox_that_was_taken_off_one_account_stays_with_the_other_one_of_the_record",
        ),
    ),
    Mutant(
        "A later proof keeps a phone on the record",
        "periods",
        "        and not (link.own_proof_at and link.own_proof_at > time)\n",
        "",
        ("test_continued_periods::test_phone_that_the_mailbox_proved_again_stays_on_the_record",),
    ),
    Mutant(
        "The removal of the holder itself counts",
        "periods",
        "    if pair in since:\n        return since[pair]\n",
        "",
        ("test_continued_periods::test_address_that_was_proved_and_taken_off_ended_its_period",),
    ),
    Mutant(
        "The period of a phone depends on the records",
        "grouping",
        "    return continued_periods(by_id, links, decisions, records)",
        "    return continued",
        (
            "test_continued_periods::test_phone_of_a_record_is_grouped_by_the_records_of_the_mailboxes",
        ),
    ),
)
