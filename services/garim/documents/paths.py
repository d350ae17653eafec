"""Whose certificate signed: chains, validity, roles, people (RFC 5280 section 6).

The path is `cryptography`'s to build; what it does not know is checked here: keys, the role bound by the
anchor's certificate policy or subject attributes, person and organisation of the leaf, name constraints, the
mark of development.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from garim.documents.constraints import are_checked
from garim.documents.keys import MIN_RSA_BITS, strong_hash, strong_key
from garim.documents.x509 import (
    DOCUMENT_SIGNING,
    ROLE_POLICIES,
    UNREADABLE,
    Anchor,
    Path,
    Role,
    Signer,
    TrustPolicy,
    certificate_sha256,
    is_development,
    key_sha256,
    load_anchors,
    load_pem,
    policies_of,
)
from garim.statements.refusal import RefusedError, raise_all

if TYPE_CHECKING:
    from garim.statements.governance import DocumentAnchor

Chain = tuple[x509.Certificate, ...]

_BINDING = {"title": NameOID.TITLE, "organizationalUnitName": NameOID.ORGANIZATIONAL_UNIT_NAME}
_NAMING = (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER, NameOID.ORGANIZATION_NAME)


def verify_path(chain: Chain, trust: TrustPolicy, now_ms: int, *, field: str) -> Path:
    """Verify a chain as of now; everything wrong with it is reported together.

    Args:
        chain: Leaf, then its intermediates in order, without the anchor.
        trust: What governance trusts.
        now_ms: Time of the check, milliseconds since 1970.
        field: Path of the chain, for refusals.

    Raises:
        RefusedError: `TRUST_*`, `CHAIN_UNTRUSTED`, `CERTIFICATE_*`, `PURPOSE_REFUSED`, `PERSON_MISSING`,
            `KEY_WEAK`, `HASH_WEAK`, `NAME_CONSTRAINTS_UNCHECKED`, `ROLE_MISSING`, `ROLE_AMBIGUOUS`,
            `ORGANISATION_NOT_ALLOWED`.
    """
    try:
        anchors = load_anchors(trust)
        above = next((one for one in anchors if one.certificate.subject == chain[-1].issuer), None)
        raise_all(list(_reasons(chain, above, anchors, trust, now_ms, field)))
    except UNREADABLE:
        raise RefusedError(
            "CERTIFICATE_UNREADABLE", "a certificate holds parts that cannot be read", field=field
        ) from None
    if above is None:
        raise _untrusted(field)
    return Path(_signer(chain[0], Role(above.terms.role)), chain, above.terms)


def verify_at_issue(path: Path, issued_ms: int, *, field: str) -> None:
    """Verify that a path was valid when the document was issued, too.

    Args:
        path: As `verify_path` found it.
        issued_ms: The document's issue, milliseconds since 1970.
        field: Path of the chain, for refusals.

    Raises:
        RefusedError: `CERTIFICATE_NOT_VALID_AT_ISSUE` or `CHAIN_UNTRUSTED`.
    """
    demand_valid_at_issue(path.links, issued_ms, field=field)
    if not _leads_to(path.links, load_pem(path.anchor.certificate), issued_ms):
        raise _untrusted(field)


def stated_signer(chain: Chain, *, field: str) -> Signer:
    """Return whom a chain states to sign, and in which role; whether anybody may believe it is not judged.

    Only Garim's own policies are understood: what else binds a role is for governance to say.

    Args:
        chain: Leaf, then its intermediates in order, without the anchor.
        field: Path of the chain, for refusals.

    Raises:
        RefusedError: `ROLE_MISSING`, `ROLE_AMBIGUOUS`, `PURPOSE_REFUSED`, `PERSON_MISSING`.
    """
    stated = policies_of(chain[0])
    roles = [role for role, policy in ROLE_POLICIES.items() if policy.dotted_string in stated]
    if not roles:
        raise RefusedError("ROLE_MISSING", "the certificate binds no role that signs documents", field=field)
    if len(roles) != 1:
        raise RefusedError("ROLE_AMBIGUOUS", "the certificate binds both roles", field=field)
    raise_all(list(_leaf(chain[0], f"{field}[0]")))
    return _signer(chain[0], roles[0])


def demand_valid_now(chain: Chain, now_ms: int, *, field: str) -> None:
    """Refuse (`CERTIFICATE_NOT_VALID_NOW`) certificates that are not valid now, milliseconds since 1970."""
    late = _not_valid(chain, now_ms)
    if late is not None:
        raise RefusedError(
            "CERTIFICATE_NOT_VALID_NOW", "the certificate is not valid now", field=f"{field}[{late}]"
        )


def demand_valid_at_issue(chain: Chain, issued_ms: int, *, field: str) -> None:
    """Refuse (`CERTIFICATE_NOT_VALID_AT_ISSUE`) certificates that were not valid then, as above."""
    late = _not_valid(chain, issued_ms)
    if late is not None:
        raise RefusedError(
            "CERTIFICATE_NOT_VALID_AT_ISSUE",
            "the certificate was not valid at the document's issue",
            field=f"{field}[{late}]",
        )


def _reasons(
    chain: Chain, above: Anchor | None, anchors: list[Anchor], trust: TrustPolicy, now_ms: int, field: str
) -> Iterator[RefusedError]:
    path = chain if above is None else (*chain, above.certificate)
    late = None
    try:
        demand_valid_now(chain, now_ms, field=field)
    except RefusedError as refusal:
        late = refusal
        yield refusal
    yield from _leaf(chain[0], f"{field}[0]")
    yield from _weak(chain, path, field)
    if any(is_development(one) for one in path) and not trust.development:
        yield RefusedError(
            "TRUST_DEVELOPMENT",
            "a certificate is marked for development, and this mesh is in production",
            field=field,
        )
    constrained = [index for index, one in enumerate(path) if not are_checked(one)]
    for index in constrained:
        yield RefusedError(
            "NAME_CONSTRAINTS_UNCHECKED",
            "an authority is constrained to names that cannot be checked",
            field=f"{field}[{index}]",
        )
    if above is None:
        yield _untrusted(field)
        return
    if late is None and not constrained and not _leads_to(chain, above.certificate, now_ms):
        yield _untrusted(field)
    yield from _role(chain, above.terms, anchors, field)
    if not _vouches(above.terms, chain[0]):
        yield RefusedError(
            "ORGANISATION_NOT_ALLOWED", "its issuer may not vouch for the organisation it names", field=field
        )


def _untrusted(field: str) -> RefusedError:
    return RefusedError("CHAIN_UNTRUSTED", "the chain leads to no trusted anchor", field=field)


def _moment(instant_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(instant_ms / 1000, tz=dt.UTC)


def _not_valid(chain: Chain, instant_ms: int) -> int | None:
    """Return the place of the first certificate that is not valid at an instant."""
    moment = _moment(instant_ms)
    for index, certificate in enumerate(chain):
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            return index
    return None


def _leaf(leaf: x509.Certificate, field: str) -> Iterator[RefusedError]:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        signs = (usage.digital_signature or usage.content_commitment) and not usage.key_cert_sign
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        fits = DOCUMENT_SIGNING in purposes and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in purposes
    except x509.ExtensionNotFound:
        signs = fits = False
    if not (signs and fits):
        yield RefusedError(
            "PURPOSE_REFUSED", "the leaf must be for digital signatures and documentSigning", field=field
        )
    if any(len(values) != 1 or not values[0].strip() for values in (_named(leaf, one) for one in _NAMING)):
        yield RefusedError(
            "PERSON_MISSING",
            "the subject must name one commonName, serialNumber and organizationName each",
            field=field,
        )


def _named(leaf: x509.Certificate, attribute: x509.ObjectIdentifier) -> list[str]:
    values = [one.value for one in leaf.subject.get_attributes_for_oid(attribute)]
    return [one if isinstance(one, str) else "" for one in values]


def _weak(chain: Chain, path: Chain, field: str) -> Iterator[RefusedError]:
    """Say which keys and hashes are too weak; an anchor's own signature proves nothing and is not judged."""
    for index, certificate in enumerate(path):
        if not strong_key(certificate.public_key()):
            yield RefusedError(
                "KEY_WEAK",
                f"a key is none of P-256, P-384, P-521, Ed25519, RSA from {MIN_RSA_BITS} bits",
                field=f"{field}[{index}]",
            )
    for index, certificate in enumerate(chain):
        if not strong_hash(certificate.signature_hash_algorithm):
            yield RefusedError(
                "HASH_WEAK", "a certificate is signed over a hash other than SHA-2", field=f"{field}[{index}]"
            )


def _role(chain: Chain, terms: DocumentAnchor, anchors: list[Anchor], field: str) -> Iterator[RefusedError]:
    if not _bound(chain[0], terms):
        yield RefusedError("ROLE_MISSING", "the certificate binds no role of its anchor", field=field)
    elif any(other.terms.role != terms.role and _bound(chain[0], other.terms) for other in anchors):
        yield RefusedError("ROLE_AMBIGUOUS", "the certificate binds both roles", field=field)
    for index, certificate in enumerate(chain[1:], start=1):
        if terms.policy is not None and terms.policy not in policies_of(certificate):
            yield RefusedError(
                "ROLE_MISSING", "the issuing certificate may not bind this role", field=f"{field}[{index}]"
            )


def _bound(leaf: x509.Certificate, terms: DocumentAnchor) -> bool:
    """Tell whether a leaf has what binds an anchor's role."""
    if terms.policy is not None and terms.policy not in policies_of(leaf):
        return False
    return all(_named(leaf, _BINDING[one.attribute]) == [one.value] for one in terms.subject)


def _vouches(terms: DocumentAnchor, leaf: x509.Certificate) -> bool:
    organisations = set(_named(leaf, NameOID.ORGANIZATION_NAME))
    return organisations <= set(terms.authorities) or (
        Role(terms.role) is Role.COURT and not terms.authorities
    )


def _signer(leaf: x509.Certificate, role: Role) -> Signer:
    (name,), (person,), (organisation,) = (_named(leaf, one) for one in _NAMING)
    return Signer(
        role=role,
        person=person,
        name=name,
        organisation=organisation,
        certificate_sha256=certificate_sha256(leaf),
        key_sha256=key_sha256(leaf),
    )


def _demand_cert_sign(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage
) -> None:
    if not usage.key_cert_sign:
        raise ValueError("keyUsage lacks keyCertSign")


def _demand_no_ca(
    _policy: verification.Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("a certification authority signs no documents")


def _leads_to(chain: Chain, anchor: x509.Certificate, instant_ms: int) -> bool:
    """Tell whether a chain, all of it and nothing else, leads to an anchor at an instant."""
    either = verification.Criticality.AGNOSTIC
    everything = verification.ExtensionPolicy.permit_all()
    for_ca = everything.require_present(
        x509.BasicConstraints, verification.Criticality.CRITICAL, None
    ).require_present(x509.KeyUsage, verification.Criticality.CRITICAL, _demand_cert_sign)
    for_leaf = everything.may_be_present(x509.BasicConstraints, either, _demand_no_ca)
    verifier = (
        verification.PolicyBuilder()
        .time(_moment(instant_ms))
        .store(verification.Store([anchor]))
        .max_chain_depth(len(chain) - 1)
        .extension_policies(ca_policy=for_ca, ee_policy=for_leaf)
        .build_client_verifier()
    )
    try:
        path = verifier.verify(chain[0], list(chain[1:])).chain
    except verification.VerificationError:
        return False
    return tuple(path) == (*chain, anchor)
