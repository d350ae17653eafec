"""Which rule of the policy a reason falls under, and so its legal basis."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from garim.documents.claims import Claims, Disclosure
from garim.documents.policy import Policy
from garim.documents.policy_model import RuleId, cited

_BY_RULE: Mapping[RuleId, str] = MappingProxyType(
    {
        "signatures": "SIGNATURE_WRONG ROLES_WRONG ROLE_MISSING ROLE_AMBIGUOUS SAME_CERTIFICATE SAME_KEY"
        " SAME_PERSON PURPOSE_REFUSED PERSON_MISSING CERTIFICATE_REVOKED CERTIFICATE_NOT_VALID_NOW"
        " CERTIFICATE_NOT_VALID_AT_ISSUE CERTIFICATE_UNREADABLE CHAIN_UNTRUSTED CHAIN_LENGTH CRL_MISSING"
        " KEY_WEAK HASH_WEAK NAME_CONSTRAINTS_UNCHECKED TRUST_DEVELOPMENT TRUST_NOT_CHECKED"
        " KEY_ALGORITHM_MISMATCH ALGORITHM_REFUSED ENVELOPE_SIGNATURES",
        "authority": "AUTHORITY_MISMATCH COURT_MISMATCH ORGANISATION_NOT_ALLOWED FIRST_AUTHORITY",
        "addressee": "AUDIENCE_WRONG",
        "time": "NOT_YET_ISSUED ISSUED_AFTER_RECEIPT DOCUMENT_EXPIRED POLICY_NOT_IN_FORCE",
        "offence": "OFFENCE_NOT_LISTED",
        "warrant-type": "WARRANT_TYPE_REFUSED",
        "subjects": "SUBJECTS_MISSING SUBJECTS_TOO_MANY",
        "period": "PERIOD_NOT_PAST PERIOD_TOO_LONG",
        "recipient": "RECIPIENT_UNREADABLE",
        "second-request": "PSEUDONYMS_TOO_MANY FIRST_DOCUMENT_UNKNOWN FIRST_CASE_NUMBER FIRST_NOT_GRANTED"
        " IDENTITIES_ERASED UNMASK_OVER ATTACHMENTS_WRONG",
        "preservation": "PRESERVATION_TOO_LONG",
        "emergency": "EMERGENCY_TOO_LONG",
        "scope": "SCOPE_REFUSED",
        "refuse-all": "REFUSE_ALL",
        "revocation": "DOCUMENT_REVOKED",
    }
)
_RULE_OF: Mapping[str, RuleId] = MappingProxyType(
    {reason: rule for rule, reasons in _BY_RULE.items() for reason in reasons.split()}
)


def rule_of(reason: str) -> RuleId:
    """Return the rule that a reason falls under; `form` where it says that a document is malformed."""
    return _RULE_OF.get(reason, "form")


def basis_of(reason: str, policy: Policy, instant_ms: int, claims: Claims | None = None) -> tuple[str, ...]:
    """Return the legal basis of a reason as it stood at an instant.

    Args:
        reason: UPPER_SNAKE.
        policy: The operator's policy.
        instant_ms: Milliseconds since 1970.
        claims: What the document says, if it could be read: a type of warrant has a basis of its own.
    """
    rule = rule_of(reason)
    basis = cited(policy.rule(rule).basis, instant_ms)
    if rule in {"warrant-type", "period"} and isinstance(claims, Disclosure):
        known = policy.warrant_type(claims.warrant_type, instant_ms)
        own = () if known is None else cited(known.basis, instant_ms)
        basis += tuple(one for one in own if one not in basis)
    return basis
