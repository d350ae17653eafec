"""Closing a dossier: its digests are kept once, logged, and answered with custody's signed receipt."""

from __future__ import annotations

import dataclasses
import hashlib

from sqlalchemy import Connection

from garim.custody.core import Core
from garim.custody.gate import demand_granted, demand_running
from garim.custody.releases import disclosure_of, unknown_dossier
from garim.custody.tables import dossiers
from garim.custody.tables.dossiers import Dossier
from garim.kit.convert import Logged
from garim.statements import dsse, strict_json
from garim.statements.grants import DisclosureGrant
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof
from garim.translog.tree import EMPTY_ROOT

DIGEST_BYTES = 32
SEALED_SECRET_BYTES = 1088 + 32 + 32 + 16
"""An HPKE-sealed 32-byte secret: ML-KEM-768 ciphertext, X25519 share, secret, tag."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """What redaction says of a finished package.

    Attributes:
        sealed_secret: HPKE-sealed S; empty in erased mode.
        package: SHA-256 of the encrypted package.
        package_bytes: Its size.
        identities_root: Merkle root of identities.
        identities: How many.
        messages_root: Merkle root of messages.
        messages: How many.
    """

    sealed_secret: bytes
    package: bytes
    package_bytes: int
    identities_root: bytes
    identities: int
    messages_root: bytes
    messages: int

    def digest(self) -> str:
        """Return the digest by which a repeated call is recognised."""
        members = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in dataclasses.asdict(self).items()
        }
        return hashlib.sha256(strict_json.dump(members)).hexdigest()


class Closing:
    """Closes dossiers.

    Args:
        core: Custody's means.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def close(self, dossier_id: bytes, finished: Finished) -> Logged:
        """Close a dossier, or return the receipt of the same closing.

        Args:
            dossier_id: The dossier.
            finished: What it is closed with.

        Raises:
            RefusedError: `DOSSIER_UNKNOWN`, `DOSSIER_CHANGED`, `CLOSING_FIELD`, `CASE_STATE`,
                `CASE_STATUS`, `FROZEN`, `DOCUMENT_REVOKED`, `LOG_*`.
        """
        dossier = self._find(dossier_id)
        digest = finished.digest()
        if dossier.closing_digest is not None and dossier.closing_digest != digest:
            raise RefusedError(
                "DOSSIER_CHANGED", "the dossier was closed with other digests", kind=Kind.EXISTS
            )
        if dossier.state == "closed":
            return self.receipt(dossier)
        _demand_fields(dossier, finished)
        demand_granted(self._core, dossier.document_digest, dossier.case_id)
        closing = self._begin(dossier, finished, digest)
        return self._log(closing)

    def receipt(self, dossier: Dossier) -> Logged:
        """Return a closed dossier's receipt, logged anew where its log was succeeded.

        Raises:
            RefusedError: `DOSSIER_DAMAGED`; `LOG_*`.
        """
        known = _receipt(dossier)
        if self._core.log.is_succeeded(known.proof):
            return self._logged_anew(dossier.id, known.statement)
        return known

    def _find(self, dossier_id: bytes) -> Dossier:
        with self._core.database.reading() as connection:
            dossier = dossiers.find(connection, dossier_id.hex())
        if dossier is None or dossier.state == "making":
            raise unknown_dossier()
        return dossier

    def _begin(self, dossier: Dossier, finished: Finished, digest: str) -> Dossier:
        """Keep what it is closed with; from here on nothing is released for it."""
        core = self._core
        receipt = self._signed(dossier, finished)
        with core.database.writing() as connection:
            demand_running(connection, dossier.document_digest)
            now = dossiers.find(connection, dossier.id)
            if now is None:
                raise unknown_dossier()
            if now.state == "open":
                dossiers.change(
                    connection,
                    dossier.id,
                    state="closing",
                    sealed_secret=finished.sealed_secret or None,
                    closing_digest=digest,
                    receipt=dsse.to_bytes(receipt),
                )
            elif now.closing_digest != digest:
                raise RefusedError(
                    "DOSSIER_CHANGED", "the dossier was closed with other digests", kind=Kind.EXISTS
                )
            return dossiers.find(connection, dossier.id) or now

    def _log(self, dossier: Dossier) -> Logged:
        if dossier.receipt is None:
            raise unknown_dossier()
        logged = self._appended(dossier.id, dsse.from_bytes(dossier.receipt))
        with self._core.database.writing() as connection:
            demand_running(connection, dossier.document_digest)
            _keep(connection, dossier.id, logged)
        return logged

    def _logged_anew(self, dossier_id: str, envelope: dsse.Envelope) -> Logged:
        logged = self._appended(dossier_id, envelope)
        with self._core.database.writing() as connection:
            _keep(connection, dossier_id, logged)
        return logged

    def _appended(self, dossier_id: str, envelope: dsse.Envelope) -> Logged:
        receipt = DossierReceipt.from_bytes(envelope.payload)
        entry = self._core.journal.append(
            "dossier-closed",
            envelope.payload,
            key=dossier_id,
            magnitudes={"identities": receipt.identities, "messages": receipt.messages},
        )
        return Logged(envelope, entry.proof)

    def _signed(self, dossier: Dossier, finished: Finished) -> dsse.Envelope:
        claims = disclosure_of(dossier)
        core = self._core
        return DossierReceipt(
            mesh=core.mesh,
            purpose="receipt",
            issued=core.clock.now_ms(),
            expires=None,
            checkpoint=core.journal.checkpoint(),
            dossier=dossier.id,
            grant=dossier.grant_digest,
            document=dossier.document_digest,
            authority=claims.authority,
            case_number=claims.case_number,
            mode=dossier.mode,
            package=finished.package.hex(),
            package_bytes=finished.package_bytes,
            identities_root=finished.identities_root.hex(),
            identities=finished.identities,
            messages_root=finished.messages_root.hex(),
            messages=finished.messages,
            unmask_until=dossier.unmask_until_ms if dossier.mode == "sealed" else None,
            masking=_grant(dossier).masking,
        ).sign(core.sign)


def _grant(dossier: Dossier) -> DisclosureGrant:
    """Return the grant that custody verified when it made the dossier."""
    return DisclosureGrant.from_bytes(dsse.from_bytes(dossier.grant).payload)


def _keep(connection: Connection, dossier_id: str, logged: Logged) -> None:
    proof = strict_json.dump(logged.proof.to_object())
    dossiers.change(connection, dossier_id, state="closed", receipt_proof=proof)


def _receipt(dossier: Dossier) -> Logged:
    if dossier.receipt is None or dossier.receipt_proof is None:
        raise RefusedError("DOSSIER_DAMAGED", "the kept receipt is damaged", kind=Kind.DATA_LOSS)
    proof = LogProof.from_object(strict_json.parse_object(dossier.receipt_proof))
    return Logged(dsse.from_bytes(dossier.receipt), proof)


def _demand_fields(dossier: Dossier, finished: Finished) -> None:
    """Refuse digests of a wrong length, and a sealed secret or identities where the mode has none."""
    for field in ("package", "identities_root", "messages_root"):
        if len(getattr(finished, field)) != DIGEST_BYTES:
            raise _field(field, f"must be {DIGEST_BYTES} bytes")
    expected = SEALED_SECRET_BYTES if dossier.mode == "sealed" else 0
    if len(finished.sealed_secret) != expected:
        raise _field("sealed_secret", f"must be {expected} bytes in {dossier.mode} mode")
    if dossier.mode == "erased" and (finished.identities or finished.identities_root != EMPTY_ROOT):
        raise _field("identities", "an erased dossier has none")


def _field(field: str, message: str) -> RefusedError:
    return RefusedError("CLOSING_FIELD", message, field=field)
