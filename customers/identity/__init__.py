"""Identity: which identifiers are one customer, and on which identifier an event is filed.

docs/reference/identity.md has the rules, docs/adr/0016 their reasons, docs/glossary.md the terms.

An identifier has up to two records. Its own record (`record_id`) has the log of the events that are
filed on it. Its live record (`customer_id`) is that of its group, which staff and customers see. To
place an identifier is to choose its live record. "Pure" modules use no database and no clock.

The rules, all pure:

- `links`: the values: identifiers, links between them, decisions of people about them
- `families`: the five families of identifiers, and the order in which an event is filed
- `evidence`: the evidence of the statements of a source
- `link_rules`: whether a link may join or attach identifiers, and the order of the links
- `grouping`: groups accounts and mailboxes; begin to read here
- `attachment_rules`: attaches cards, phones, devices and numbers of tills to these groups
- `disjoint_groups`: the groups while they grow
- `addresses`: which address of an account is current, and whether a value is a placeholder
- `separations`: which identifiers people keep apart, in all periods of an address
- `periods`: the period of an address that an event belongs to, and which periods ended
- `erasure_rules`: whether an event that names an erased identifier is stored
- `order_ownership`: the record that an order belongs to

The path of a new event:

- `normalize`, `non_identifiers`: the normal form of values, and the values that identify nobody
- `identifier_keys`: the usable identifiers of an event, in the order of filing; pure
- `short_text_cache`: the cache of what follows from such identifiers alone; pure
- `previous_accounts`: whether the `previousId` of an alias is an account; pure
- `resolution`: the identifiers of a batch and the records that they lead to
- `resolved`: the values that it returns; pure
- `filing_order`: puts the identifier first on which an event is filed
- `known_identifiers`: the cache of identifiers, their records and stored links
- `erased_items`: whether an item that cannot become an event is about an erased customer
- `statements`: the links that events state; pure
- `order_years`: adds the year to order numbers that start again each year
- `record_creation`: stores new identifiers and records
- `link_creation`: stores the links of a batch that are not stored
- `shortcuts`: the live records of new identifiers that are certain without a regrouping; pure
- `link_storage`: stores and finds links
- `identifier_warnings`, `contest_warnings`: warnings for the operator of the source

A regrouping, after new links or a decision:

- `merging`: calls the three placements below, stores live records and merges
- `graph`: reads and locks the identifiers and links that a change concerns
- `account_placement`: accounts and mailboxes
- `current_addresses`: the current, replaced and pending mailboxes of accounts
- `attached_placement`, `attaching_links`: cards, phones, devices and numbers of tills
- `attached_separations`: the decisions of people about these that count now
- `order_assignment`: orders
- `order_repetitions`: events that repeat an order which this or another source of the space placed
- `order_places`: shows several orders with one number as `1001`, `1001·2`
- `order_moves`: files the events of an order that moved with its new customer
- `placeholders`: finds cards and numbers that are placeholders

Decisions of people:

- `decisions`: stores and undoes merges and separations
- `refiling`: files events on another identifier

A rebuild, after a change of the rules or of a source:

- `rebuilding`: rebuilds links and groups, a batch of identifiers at a time
- `link_rebuilding`: links that the events on the logs state
- `best_evidence`: the strongest evidence of identifiers that were stored without it
- `rebuild_report`: the reasons why records were split or joined

A proof, such as a code:

- `code_numbers`: the phone numbers that get codes by SMS; pure
- `opening_rules`: the identifiers that the proofs of a session open; pure
- `silences`: the year in which an address was silent; a code opens what is later
- `history_facts`: compares one more fact, which opens the history before a silence; pure
- `openable_graph`: reads the identifiers and links that a session may open

Readers:

- `lookup`: the records that have an identifier
- `search`: customers by a name, a number or an address
- `ringing_calls`: the calls that ring now, and the possible callers
- `merge_reasons`: why two records were merged
"""
