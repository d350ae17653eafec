"""What can be said of a document offline: whether its signatures hold, and why it would pass or fail.

For people and programs that ask before they file; nothing is let in by it. Whatever can be told is told, also
where intake would have stopped at an earlier stage.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import pairwise

from cryptography import x509 as pyca
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from garim.documents import crls as revocation_lists
from garim.documents import legal_basis, paths, x509
from garim.documents.claims import Claims, read_claims
from garim.documents.envelope import Envelope, OpenDocument
from garim.documents.policy import Policy, judge
from garim.documents.verify import judge_claims, judge_people, judge_roles
from garim.statements.governance import DocumentAnchor
from garim.statements.refusal import RefusedError, reasons_of

Chain = tuple[pyca.Certificate, ...]
NOT_CHECKED_REVOCATION = "REVOCATION_NOT_CHECKED"
LONGEST_MS = 10 * 365 * 24 * 3_600_000


@dataclasses.dataclass(frozen=True, slots=True)
class Signatures:
    """What can be said of a document's signatures.

    Attributes:
        valid: Whether they are right, their certificates are valid at the time, and lead to those trusted, if
            any were given.
        signers: Whom the certificates name.
        reasons: Why not; `TRUST_NOT_CHECKED` and `REVOCATION_NOT_CHECKED` stand here beside valid ones, too.
    """

    valid: bool
    signers: tuple[str, ...]
    reasons: tuple[RefusedError, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Explained:
    """What became of a document.

    Attributes:
        signatures: Of its signatures.
        reasons: Every reason why it would be refused, each with its legal basis; empty where it would pass.
    """

    signatures: Signatures
    reasons: tuple[tuple[RefusedError, tuple[str, ...]], ...]

    @property
    def accepted(self) -> bool:
        """Whether it would pass."""
        return not self.reasons


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """By what a document is judged.

    Attributes:
        policy: The operator's policy.
        at_ms: The time of the check and of the receipt, milliseconds since 1970.
        trusted: Certificates that may stand at the end of a chain; empty: trust is not checked.
        crls: Revocation lists, DER or PEM; null: revocation is not checked.
        audience: The operator's name; null: not compared.
    """

    policy: Policy
    at_ms: int
    trusted: tuple[pyca.Certificate, ...] = ()
    crls: tuple[bytes, ...] | None = None
    audience: str | None = None


CheckForeign = Callable[[str, bytes, Measure], Signatures | None]
"""Says what can be said of the signatures of a document that is not of our profile; None: of none of them."""


def _nobody(_media_type: str, _data: bytes, _measure: Measure) -> None:
    return None


def explain(
    media_type: str,
    data: bytes,
    open_document: OpenDocument,
    measure: Measure,
    check_foreign: CheckForeign = _nobody,
) -> Explained:
    """Tell whether a document's signatures hold, and every reason for which it would be refused.

    Args:
        media_type: Its format.
        data: The document.
        open_document: Opens it.
        measure: By what it is judged.
        check_foreign: Judges the signatures where the document is not of our profile.
    """
    try:
        envelope = open_document(media_type, data)
    except RefusedError as refusal:
        found = tuple(reasons_of(refusal))
        foreign = check_foreign(media_type, data, measure)
        signatures = foreign or Signatures(valid=False, signers=(), reasons=found)
        return _explained(signatures, (*found, *signatures.reasons), measure, None)
    return _of_envelope(envelope, measure)


def _explained(
    signatures: Signatures, reasons: Sequence[RefusedError], measure: Measure, claims: Claims | None
) -> Explained:
    instant_ms = measure.at_ms if claims is None else claims.issued_ms
    # A document passes without revocation having been checked; that it was not is said of its signatures.
    once = {(one.reason, one.field): one for one in reasons if one.reason != NOT_CHECKED_REVOCATION}
    return Explained(
        signatures,
        tuple(
            (one, legal_basis.basis_of(one.reason, measure.policy, instant_ms, claims))
            for one in once.values()
        ),
    )


def _of_envelope(envelope: Envelope, measure: Measure) -> Explained:
    try:
        chains = [x509.read_chain(chain, field=_field(index)) for index, chain in enumerate(envelope.chains)]
    except RefusedError as refusal:
        found = tuple(reasons_of(refusal))
        return _explained(Signatures(valid=False, signers=(), reasons=found), found, measure, None)
    signatures = _signatures(chains, measure)
    reasons = list(signatures.reasons)
    signers, found_signers = _stated(chains)
    reasons += found_signers
    claims: Claims | None = None
    try:
        claims = read_claims(envelope.payload)
    except RefusedError as refusal:
        reasons += reasons_of(refusal)
    if claims is not None:
        reasons += _of_claims(claims, chains, signers, measure)
    return _explained(signatures, reasons, measure, claims)


def _of_claims(
    claims: Claims, chains: list[Chain], signers: list[x509.Signer], measure: Measure
) -> list[RefusedError]:
    reasons: list[RefusedError] = []
    if len(signers) == len(chains):
        reasons += judge_people(signers) or judge_roles(claims, signers)
        by_role = {signer.role: signer for signer in signers}
        audience = claims.audience if measure.audience is None else measure.audience
        reasons += judge_claims(claims, by_role, audience=audience, now_ms=measure.at_ms)
    for index, chain in enumerate(chains):
        reasons += _window(chain, claims.issued_ms, index, at_issue=True)
    return reasons + judge(claims, measure.policy, measure.at_ms)


def _stated(chains: list[Chain]) -> tuple[list[x509.Signer], list[RefusedError]]:
    """Return the signers as their certificates state them, whoever issued those."""
    signers: list[x509.Signer] = []
    reasons: list[RefusedError] = []
    for index, chain in enumerate(chains):
        try:
            signers.append(paths.stated_signer(chain, field=_field(index)))
        except RefusedError as refusal:
            reasons.append(refusal)
    return signers, reasons


def _signatures(chains: list[Chain], measure: Measure) -> Signatures:
    """Judge the certificates behind signatures that are right."""
    faults: list[RefusedError] = []
    for index, chain in enumerate(chains):
        faults += _window(chain, measure.at_ms, index, at_issue=False)
        if measure.trusted:
            faults += _trust(chain, index, measure)
        elif not _linked(chain):
            faults.append(RefusedError("CHAIN_UNTRUSTED", "the chain is broken", field=_field(index)))
    return Signatures(
        valid=not faults,
        signers=tuple(named(chain[0]) for chain in chains),
        reasons=(*faults, *not_checked(measure, revocation=measure.crls is not None)),
    )


def not_checked(measure: Measure, *, revocation: bool) -> tuple[RefusedError, ...]:
    """Return what was not checked, for want of what it takes.

    Args:
        measure: By what was judged.
        revocation: Whether revocation was checked.
    """
    if not measure.trusted:
        return (RefusedError("TRUST_NOT_CHECKED", "name the trusted certificates", field="trust"),)
    if not revocation:
        return (RefusedError("REVOCATION_NOT_CHECKED", "name a folder of revocation lists", field="crls"),)
    return ()


def named(certificate: pyca.Certificate) -> str:
    """Return whom a certificate names: common name and organisation, or its whole subject."""
    oids = (pyca.NameOID.COMMON_NAME, pyca.NameOID.ORGANIZATION_NAME)
    found = [str(one.value) for oid in oids for one in certificate.subject.get_attributes_for_oid(oid)]
    return ", ".join(found) or certificate.subject.rfc4514_string()


def _trust(chain: Chain, index: int, measure: Measure) -> list[RefusedError]:
    """Return why a chain does not count under the trusted certificates."""
    field = _field(index)
    try:
        signer = paths.stated_signer(chain, field=field)
    except RefusedError:
        # It signs in no role; all that can be said is whether somebody trusted has issued it.
        return [] if _issued_under(chain, measure) else [_untrusted(field)]
    anchors = tuple(
        DocumentAnchor(
            role=signer.role.value,
            certificate=one.public_bytes(serialization.Encoding.PEM).decode(),
            authorities=(signer.organisation,),
            crl_issuers=(),
            policy=x509.ROLE_POLICIES[signer.role].dotted_string,
            subject=(),
        )
        for one in measure.trusted
        if one.subject == chain[-1].issuer
    )
    if not anchors:
        return [_untrusted(field)]
    # Whoever asks has named the certificates; whether a mesh would trust them is not known here.
    trust = x509.TrustPolicy(anchors, LONGEST_MS, development=True)
    try:
        path = paths.verify_path(chain, trust, measure.at_ms, field=field)
        if measure.crls is not None:
            revocation_lists.check_revocation(path, list(measure.crls), trust, measure.at_ms, field=field)
    except RefusedError as refusal:
        return reasons_of(refusal)
    return []


def _issued_under(chain: Chain, measure: Measure) -> bool:
    return _linked(chain) and any(_issued(chain[-1], one) for one in measure.trusted)


def _untrusted(field: str) -> RefusedError:
    return RefusedError("CHAIN_UNTRUSTED", "the chain leads to none of the trusted certificates", field=field)


def _linked(chain: Chain) -> bool:
    return all(_issued(one, issuer) for one, issuer in pairwise(chain))


def _issued(certificate: pyca.Certificate, issuer: pyca.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*x509.UNREADABLE, InvalidSignature):
        return False
    return True


def _window(chain: Chain, instant_ms: int, index: int, *, at_issue: bool) -> list[RefusedError]:
    try:
        if at_issue:
            paths.demand_valid_at_issue(chain, instant_ms, field=_field(index))
        else:
            paths.demand_valid_now(chain, instant_ms, field=_field(index))
    except RefusedError as refusal:
        return [refusal]
    return []


def _field(index: int) -> str:
    return f"signatures[{index}].x5c"
