"""The mutants of the rules about who is who: each rule switched off, and the tests that see it."""

from tests.customers.identity.mutants import (
    addresses,
    attachments,
    erasures,
    evidence,
    filing,
    openings,
    periods,
    records,
    shortcuts,
    values,
    warnings,
)
from tests.customers.identity.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *records.MUTANTS,
    *attachments.MUTANTS,
    *addresses.MUTANTS,
    *evidence.MUTANTS,
    *openings.MUTANTS,
    *erasures.MUTANTS,
    *values.MUTANTS,
    *filing.MUTANTS,
    *periods.MUTANTS,
    *shortcuts.MUTANTS,
    *warnings.MUTANTS,
)

_READS = "It only reads what another function stores"
_CACHE = "It only remembers the result of a function that has mutants"
_OTHER_WARNING = "It warns about texts and tokens, which say nothing about who is who"

# Functions of the rules that have no mutant, each with the reason.
UNCHANGED = {
    "disjoint_groups.DisjointGroups.same": _READS,
    "disjoint_groups.DisjointGroups.group_id": _READS,
    "disjoint_groups.DisjointGroups.members": _READS,
    "disjoint_groups.DisjointGroups.as_sets": _READS,
    "erasure_rules._digest_key": _CACHE,
    "identifier_warnings.find_doubt_warnings": _OTHER_WARNING,
    "identifier_warnings.find_token_warnings": _OTHER_WARNING,
    "link_rules.families": _READS,
    "links.IdentifierLink.pair": "`links.pair_of` has the mutant",
    "links.ManualDecision.pair": "`links.pair_of` has the mutant",
    "normalize.current_rules": _READS,
    "opening_rules._Graph.family": _READS,
    "opening_rules._Graph.neighbors": _READS,
    "statements._links": "It saves time for events with one identifier",
    "statements.link_arguments": _CACHE,
    "statements.links_from": _CACHE,
}
