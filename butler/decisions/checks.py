"""The checks of each message class and of the use of data, in the order of their run. Pure."""

from butler.decisions.context import Check
from butler.decisions.layers import basis, company, integrity, legal, preference
from butler.decisions.layers.terms import terms
from butler.types import Contact, Use

INTEGRITY_CHECKS: tuple[Check[Contact], ...] = (
    integrity.switch,
    integrity.knowledge,
    integrity.contact,
)
_PREFERENCES: tuple[Check[Contact], ...] = (preference.read_settings, preference.allow)
_LIMITS: tuple[Check[Contact], ...] = (
    preference.budget,
    preference.quiet_hours,
    company.budget,
    company.quiet_hours,
)
_BY_CONSENT: tuple[Check[Contact], ...] = (
    legal.address,
    legal.age,
    terms,
    basis.consent,
    *_PREFERENCES,
    preference.pause,
    preference.only_when_i_ask,
)

# The checks of a consent that do not depend on the message.
CONSENT_CHECKS: tuple[Check[Contact], ...] = (
    legal.restriction,
    legal.marketing_objection,
    legal.age,
    basis.consent,
)

# The checks of each message class, in order: its column of the table in docs/decisions.md.
_LAYER_CHECKS: dict[str, tuple[Check[Contact], ...]] = {
    "legal_duty": (legal.address, basis.legal_duty),
    "service_critical": (legal.restriction, legal.address, terms, basis.relation, *_PREFERENCES),
    "service": (
        legal.restriction,
        legal.address,
        terms,
        basis.relation,
        *_PREFERENCES,
        preference.pause,
        preference.only_when_i_ask,
        *_LIMITS,
    ),
    "answer": (
        legal.restriction,
        legal.address,
        terms,
        basis.request,
        *_PREFERENCES,
        preference.person_first,
        *_LIMITS,
    ),
    "relationship": (
        legal.restriction,
        legal.marketing_objection,
        *_BY_CONSENT,
        preference.person_first,
        *_LIMITS,
    ),
    "marketing": (legal.restriction, legal.marketing_objection, *_BY_CONSENT, *_LIMITS),
    "peer": (legal.restriction, legal.objection, *_BY_CONSENT, *_LIMITS),
}
CONTACT_CHECKS = {name: (*INTEGRITY_CHECKS, *checks) for name, checks in _LAYER_CHECKS.items()}
USE_CHECKS: tuple[Check[Use], ...] = (
    integrity.switch,
    integrity.knowledge,
    integrity.use,
    legal.restriction,
    legal.objection,
)
USE_RELATION_CHECKS: tuple[Check[Use], ...] = (terms, basis.relation)
USE_CONSENT_CHECKS: tuple[Check[Use], ...] = (legal.age, terms, basis.consent)
USE_PREFERENCE_CHECKS: tuple[Check[Use], ...] = (
    preference.read_data_use_settings,
    preference.data_use,
)
