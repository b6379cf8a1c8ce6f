"""Mutants of the rules about the identifiers of an event, and about aliases."""

from tests.customers.identity.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "A claim is filed on its device, not on what it names",
        "identifier_keys",
        "    is_claim = key.evidence == CLAIMED and key.kind not in WEAK_KINDS",
        "    is_claim = False",
        ("test_filing::test_claim_is_filed_on_its_device_and_names_no_order",),
    ),
    Mutant(
        "A customer token speaks for its account",
        "identifier_keys",
        "            keys.add(IdentifierKey(*proved, VERIFIED))\n",
        "",
        ("test_filing::test_token_speaks_for_its_account_and_not_for_another_one",),
    ),
    Mutant(
        "A claim beside the token stands for nobody",
        "identifier_keys",
        "            keys.discard(IdentifierKey(*proved, CLAIMED))\n",
        "",
        ("test_filing::test_token_speaks_for_its_account_and_not_for_another_one",),
    ),
    Mutant(
        "A claimed order number proves no order",
        "identifier_keys",
        "        keys = {key for key in keys if key.kind != ORDER} or keys",
        "        pass",
        ("test_filing::test_claim_is_filed_on_its_device_and_names_no_order",),
    ),
    Mutant(
        "A device of a kiosk holds for one day",
        "identifier_keys",
        '        value = f"{value}@{sender.source_id}/{day}"',
        "        pass",
        ("test_filing::test_device_of_a_kiosk_holds_for_one_day_and_no_page_can_name_it",),
    ),
    Mutant(
        "A page cannot name the device of a kiosk",
        "identifier_keys",
        "    elif is_weak and sender.is_public and _KIOSK_DAY.search(value):\n"
        "        return None\n",
        "",
        ("test_filing::test_device_of_a_kiosk_holds_for_one_day_and_no_page_can_name_it",),
    ),
    Mutant(
        "A number belongs to its source",
        "identifier_keys",
        '        value = f"{source or sender.source_id}/{value}"',
        "        pass",
        ("test_filing::test_claim_of_an_order_alone_is_filed_on_the_claim",),
    ),
    Mutant(
        "A claim is another identifier than the value it names",
        "identifier_keys",
        "    return IdentifierKey(kind, value, CLAIMED if is_weak else sender.evidence)",
        "    return IdentifierKey(kind, value, VERIFIED)",
        ("test_filing::test_claim_is_filed_on_its_device_and_names_no_order",),
    ),
    Mutant(
        "The company's own address from a desk identifies nobody",
        "identifier_keys",
        '    if value is None or (kind == "email" and is_of_the_company(value,'
        " sender.channel)):\n"
        "        return None\n"
        "    is_weak",
        "    if value is None:\n        return None\n    is_weak",
        ("test_filing::test_address_of_the_company_from_a_desk_identifies_nobody",),
    ),
    Mutant(
        "A user id that is spelled like an address is that address",
        "identifier_keys",
        '        return "email"\n',
        "        return kind\n",
        ("test_filing::test_user_id_that_is_spelled_like_an_address_is_that_address",),
    ),
    Mutant(
        "A user id that is spelled like +31 is that phone",
        "identifier_keys",
        '    return "phone" if is_phone and normalize("phone", text) else kind',
        "    return kind",
        ("test_filing::test_user_id_that_is_spelled_like_an_address_is_that_address",),
    ),
    Mutant(
        "Only the user id is read as an address",
        "identifier_keys",
        '    if kind != "user_id" or (',
        "    if (",
        ("test_filing::test_other_number_that_is_spelled_like_an_address_is_no_address",),
    ),
    Mutant(
        "The keys of an event are kept for its rules, day and sender",
        "identifier_keys",
        "    arguments = (event.identifiers, event.proved_identifier, sender, day,"
        " current_rules())",
        "    arguments = (event.identifiers, event.proved_identifier, day)",
        ("test_identifier_keys::test_same_identifiers_are_read_anew_for_another_source",),
    ),
    Mutant(
        "A kiosk's day is the day of the event",
        "identifier_keys",
        '    day = f"{event.occurred_at:%Y-%m-%d}" if sender.is_shared else ""',
        '    day = ""',
        ("test_filing::test_device_of_a_kiosk_holds_for_one_day_and_no_page_can_name_it",),
    ),
    Mutant(
        "An account has the source in its stored value",
        "identifier_keys",
        '    return kind, f"{sender.source_id}/{value}" if is_number(kind) else value',
        "    return kind, value",
        ("test_filing::test_user_id_that_is_spelled_like_an_address_is_that_address",),
    ),
    Mutant(
        "A previous id of the company stands for nobody",
        "identifier_keys",
        '    if value is None or (kind == "email" and is_of_the_company(value,'
        " sender.channel)):\n"
        "        return None\n"
        "    return kind",
        "    if value is None:\n        return None\n    return kind",
        ("test_filing::test_address_of_the_company_from_a_desk_identifies_nobody",),
    ),
    Mutant(
        "A `previousId` that the source sent as a user id is this account",
        "previous_accounts",
        "        keys = {named.get(key, key) for key in read[place]}",
        "        keys = set(read[place])",
        ("test_previous_accounts::test_number_that_the_source_sent_before_is_its_account",),
    ),
    Mutant(
        "Any other `previousId` is a browser",
        "previous_accounts",
        "for browser, account in named.items() if account in stored}",
        "for browser, account in named.items()}",
        ("test_previous_accounts::test_number_that_the_source_never_sent_is_a_browser",),
    ),
    Mutant(
        "The alias of a till joins nothing",
        "previous_accounts",
        "    if statement_evidence(sender) < STATED:\n"
        "        return ReadAliases(keys_by_event, concerned)\n",
        "",
        ("test_previous_accounts::test_alias_of_a_till_joins_nothing_and_the_sender_reads_so",),
    ),
    Mutant(
        "A publishable key's alias names no account",
        "previous_accounts",
        "    if sender.evidence == CLAIMED:\n        return {}\n",
        "",
        ("test_previous_accounts::test_alias_with_a_publishable_key_names_no_account",),
    ),
    Mutant(
        "Only an alias has a `previousId`",
        "previous_accounts",
        '        if event.kind == "alias" and (accounts',
        "        if (accounts",
        ("test_previous_accounts::test_browser_of_another_event_is_no_previous_account",),
    ),
    Mutant(
        "The `previousId` of a kiosk is without its day",
        "previous_accounts",
        'key.value.rpartition("@")[0] if sender.is_shared else key.value',
        "key.value",
        ("test_previous_accounts::test_number_of_a_kiosk_is_read_without_its_day",),
    ),
    Mutant(
        "A `previousId` is spelled like an address: a mailbox",
        "previous_accounts",
        '        if account and account[0] == "user_id":',
        "        if account:",
        ("test_previous_accounts::test_previous_id_that_is_spelled_like_a_mailbox_is_no_account",),
    ),
    Mutant(
        "The sender reads `alias_refused`",
        "previous_accounts",
        "    return [IngestWarning(ALIAS_REFUSED, len(refused), first)]",
        "    return []",
        ("test_previous_accounts::test_alias_of_a_till_joins_nothing_and_the_sender_reads_so",),
    ),
)
