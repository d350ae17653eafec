"""Documents in files: payloads, envelopes, keys and chains, and what a reader can verify of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from garim.cli.files import read_input
from garim.documents import claims as document_claims
from garim.documents import sign
from garim.documents.claims import Claims
from garim.documents.envelope import OpenDocument
from garim.documents.media_types import JWS_MEDIA_TYPE, media_type_of
from garim.documents.x509 import TrustPolicy, certificate_sha256
from garim.statements import strict_json
from garim.statements.governance import Governance
from garim.statements.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A document file, read but not trusted.

    Attributes:
        payload: The bytes that are or will be signed.
        claims: What it says.
        signatures: How many signatures are on it.
    """

    payload: bytes
    claims: Claims
    signatures: int

    @property
    def digest(self) -> str:
        """SHA-256 of the payload."""
        return hashlib.sha256(self.payload).hexdigest()


def open_file(data: bytes) -> OpenedFile:
    """Read a draft, a half-signed or a finished document, without trusting it.

    Raises:
        RefusedError: Those of `strict_json`, `base64url` and `read_claims`.
    """
    from garim.documents import base64url

    members = strict_json.parse_object(data)
    if not is_envelope(members):
        return OpenedFile(data.rstrip(b"\n"), document_claims.read_claims(data.rstrip(b"\n")), 0)
    if not isinstance(members["payload"], str) or not isinstance(members["signatures"], list):
        raise RefusedError("ENVELOPE_MEMBERS", "not an envelope of a document", field="payload")
    payload = base64url.decode(members["payload"], field="payload")
    return OpenedFile(payload, document_claims.read_claims(payload), len(members["signatures"]))


def read_document(data: bytes, open_document: OpenDocument) -> OpenedFile:
    """Read a draft or document of any format, without trusting it.

    Args:
        data: The file.
        open_document: Opens what is not JSON; it must be signed by both.

    Raises:
        RefusedError: Those of `open_file` and of the format.
    """
    media_type = media_type_of(data)
    if media_type == JWS_MEDIA_TYPE:
        return open_file(data)
    envelope = open_document(media_type, data)
    return OpenedFile(envelope.payload, document_claims.read_claims(envelope.payload), len(envelope.chains))


def is_envelope(members: dict[str, Any]) -> bool:
    """Tell whether parsed JSON is an envelope rather than a payload."""
    return "signatures" in members and "payload" in members


def sign_file(data: bytes, key: sign.PrivateKey, chain: list[x509.Certificate]) -> bytes:
    """Return the document with one signature more; a draft becomes an envelope.

    Raises:
        RefusedError: Those of `open_file` and `sign.add_signature`.
    """
    opened = open_file(data)
    envelope = data if opened.signatures or is_envelope(strict_json.parse_object(data)) else None
    return sign.add_signature(envelope or sign.start_envelope(opened.payload), key, chain)


def read_private_key(path: Path, passphrase: bytes | None) -> sign.PrivateKey:
    """Read a signer's private key.

    Args:
        path: PEM; mode 0600.
        passphrase: Of an encrypted key.

    Raises:
        RefusedError: `KEY_FILE`, and those of `read_secret_file`.
    """
    from garim.kit.files import read_secret_file

    pem = read_secret_file(path, "private key")
    try:
        key = serialization.load_pem_private_key(pem, password=passphrase)
    except (ValueError, TypeError):
        raise RefusedError(
            "KEY_FILE", f"{path} is no private key in PEM, or its passphrase is another", field="key"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise RefusedError("KEY_ALGORITHM_MISMATCH", "sign with a P-256 or an Ed25519 key", field="key")
    return key


def read_chain(path: Path) -> list[x509.Certificate]:
    """Read a certificate with its intermediates.

    Raises:
        RefusedError: `CERTIFICATE_INVALID`, and those of `read_input`.
    """
    try:
        return x509.load_pem_x509_certificates(read_input(path, "certificate chain"))
    except ValueError:
        raise RefusedError("CERTIFICATE_INVALID", f"{path} holds no certificate in PEM") from None


def acknowledger_of(path: Path) -> str:
    """Return the SHA-256 by which a document names the certificate that will sign the delivery receipt."""
    return certificate_sha256(read_chain(path)[0])


def recipient_of(text: str) -> str:
    """Return an age recipient given as such or as a file that holds it."""
    if text.startswith("age1"):
        return text
    return read_input(Path(text), "recipient").decode("utf-8", "replace").strip()


def crls_in(folder: Path) -> list[bytes]:
    """Return the revocation lists in a folder; none where there is no folder."""
    if not folder.is_dir():
        return []
    return [path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in {".crl", ".der", ".pem"}]


def signers_of(
    data: bytes,
    open_document: OpenDocument,
    governance: Governance | None,
    crls: Iterable[bytes],
    now_ms: int,
) -> list[tuple[str, str, str]]:
    """Return role, name and organisation of each verified signer.

    Args:
        data: The finished document.
        open_document: Opens it.
        governance: Names the trust anchors; without it only signatures are verified, and nobody is named.
        crls: Revocation lists at hand.
        now_ms: Time of the check.

    Raises:
        RefusedError: Whatever is wrong with the document.
    """
    from garim.documents.verify import verify_document

    if governance is None:
        open_document(media_type_of(data), data)
        return []
    document = verify_document(
        data,
        media_type=media_type_of(data),
        open_document=open_document,
        trust=TrustPolicy.of(governance),
        audience=governance.audience,
        now_ms=now_ms,
        crls=crls,
        revoked=lambda _identity: False,
    )
    return [(str(signer.role), signer.name, signer.organisation) for signer in document.signers]
