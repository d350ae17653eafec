"""Whether a signature on any HI1 message is valid, with reasons: for explaining, not for letting in."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from cryptography import x509
from cryptography.x509 import verification

from garim.documents.etsi.signature import verify_signature
from garim.statements.refusal import RefusedError

GENERAL_RSA_BITS = 2048


@dataclasses.dataclass(frozen=True)
class SignatureCheck:
    """What can be said about a message's signature.

    Attributes:
        valid: Whether it is right, at that time, and under the certificates given, if any were.
        signer: Whom the signer's certificate names; empty where there is none to be read.
        reasons: Why it is not valid.
    """

    valid: bool
    signer: str
    reasons: tuple[RefusedError, ...]


def check_signature(data: bytes, at_ms: int, trusted: Sequence[x509.Certificate] = ()) -> SignatureCheck:
    """Check the signature of a message, of whatever profile.

    Wider than intake in one thing: RSA keys of 2,048 bits count, which much that is in use has.

    Args:
        data: The message.
        at_ms: The time at which the certificates must be valid, milliseconds since 1970.
        trusted: Certificates of which one must have issued the signer's, or be it; without any, who the
            signer is rests on nothing but what the message says.
    """
    try:
        signed = verify_signature(data, min_rsa_bits=GENERAL_RSA_BITS)
    except RefusedError as refusal:
        return SignatureCheck(valid=False, signer="", reasons=(refusal,))
    chain = [x509.load_der_x509_certificate(one) for one in signed.chain]
    moment = dt.datetime.fromtimestamp(at_ms / 1000, tz=dt.UTC)
    reasons = []
    if any(not one.not_valid_before_utc <= moment <= one.not_valid_after_utc for one in chain):
        reasons.append(
            RefusedError(
                "CERTIFICATE_NOT_VALID_NOW", "a certificate is not valid at that time", field="KeyInfo"
            )
        )
    if trusted and chain[0] not in trusted and not leads_to(chain, trusted, moment):
        reasons.append(
            RefusedError(
                "CHAIN_UNTRUSTED", "the chain leads to none of the trusted certificates", field="KeyInfo"
            )
        )
    return SignatureCheck(not reasons, chain[0].subject.rfc4514_string(), tuple(reasons))


def leads_to(chain: list[x509.Certificate], trusted: Sequence[x509.Certificate], moment: dt.datetime) -> bool:
    """Tell whether a chain leads to one of the trusted certificates at a moment, whatever its purpose.

    Args:
        chain: Leaf first.
        trusted: Where it may end.
        moment: When.
    """
    everything = verification.ExtensionPolicy.permit_all()
    verifier = (
        verification.PolicyBuilder()
        .time(moment)
        .store(verification.Store(list(trusted)))
        .extension_policies(ca_policy=everything, ee_policy=everything)
        .build_client_verifier()
    )
    try:
        verifier.verify(chain[0], chain[1:])
    except verification.VerificationError:
        return False
    return True
