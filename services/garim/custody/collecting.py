"""Release the identities of an approved request: log, open, sign, encrypt, store, hand out."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Callable

from sqlalchemy import Connection

from garim.custody import jobs
from garim.custody.core import Core
from garim.custody.deciding_unmask import Tally, end_request, find_request, request_key, tally
from garim.custody.gate import demand_granted, demand_running
from garim.custody.kinds import DOSSIER, REQUEST
from garim.custody.tables import dossiers, objects, unmask
from garim.custody.tables.dossiers import Dossier
from garim.custody.tables.unmask import UnmaskRequest
from garim.dossier.answer_file import RELEASED_ENTRY, AnswerFile
from garim.statements import dsse
from garim.statements.receipts import IdentitiesReleased, ReleasedIdentity, UnmaskAnswer
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof

Encrypt = Callable[[bytes, str], bytes]
"""Encrypts bytes to an age public key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Collecting:
    """Releases identities.

    Args:
        core: Custody's means.
        encrypt: Encrypts the answer to its recipient.
    """

    core: Core
    encrypt: Encrypt

    def collect(self, request_id: str) -> bytes:
        """Return the encrypted answer; a repeated call returns the stored bytes.

        Args:
            request_id: The request.

        Raises:
            RefusedError: `REQUEST_UNKNOWN`, `REQUEST_STATE`, `REQUEST_EXPIRED`, `REQUEST_UNDECIDED`,
                `FROZEN`, `DOCUMENT_REVOKED`, `CASE_STATE`, `CASE_STATUS`,
                `DOSSIER_EXPIRED`, and why the log refuses.
        """
        core = self.core
        request = find_request(core, request_id)
        dossier = self._dossier(request)
        demand_granted(core, dossier.document_digest, dossier.case_id)
        demand_granted(core, request.document_digest, request.case_id)
        if request.state == "released":
            return self._stored(request, dossier)
        if request.state not in {"pending", "releasing"}:
            raise RefusedError("REQUEST_STATE", f"the request is {request.state}", kind=Kind.PRECONDITION)
        self._enter(request, dossier)
        release = self._release(request)
        body = release.to_bytes()
        magnitudes = {"identities": len(release.identities)}
        entry = core.journal.append(RELEASED_ENTRY, body, key=request.id, magnitudes=magnitudes)
        counted = tally(core, request, entry.time_ms)
        answer = self._answer(request, dossier, counted, body, entry.proof)
        with core.database.writing() as connection:
            self._demand_open(connection, request, dossier, entry.time_ms)
            self._demand_enough(request, entry.time_ms)
            unmask.change(connection, request.id, state="released", answer=answer)
            objects.end(connection, REQUEST, request.id, core.clock.now_ms(), "request released")
        return answer

    def _dossier(self, request: UnmaskRequest) -> Dossier:
        with self.core.database.reading() as connection:
            dossier = dossiers.find(connection, request.dossier_id)
        if dossier is None:
            raise RefusedError("DOSSIER_UNKNOWN", "the dossier is gone", kind=Kind.DATA_LOSS)
        return dossier

    def _stored(self, request: UnmaskRequest, dossier: Dossier) -> bytes:
        with self.core.database.reading() as connection:
            demand_running(connection, request.document_digest)
            demand_running(connection, dossier.document_digest)
        if request.answer is None:
            raise RefusedError(
                "REQUEST_STATE",
                "it was released before custody's database was restored: file a new document",
                kind=Kind.PRECONDITION,
            )
        return request.answer

    def _enter(self, request: UnmaskRequest, dossier: Dossier) -> None:
        """Enter `releasing` in one serialised transaction that checks everything again."""
        now_ms = self.core.clock.now_ms()
        if now_ms >= request.expires_ms:
            end_request(self.core, request, "expired")
        with self.core.database.writing() as connection:
            self._demand_open(connection, request, dossier, now_ms)
            self._demand_enough(request, now_ms)
            unmask.change(connection, request.id, state="releasing")

    def _demand_open(
        self, connection: Connection, request: UnmaskRequest, dossier: Dossier, at_ms: int
    ) -> None:
        demand_running(connection, request.document_digest)
        demand_running(connection, dossier.document_digest)
        current = unmask.find(connection, request.id)
        if current is None or current.state not in {"pending", "releasing"}:
            state = "gone" if current is None else current.state
            raise RefusedError("REQUEST_STATE", f"the request is {state}", kind=Kind.PRECONDITION)
        if at_ms >= request.expires_ms:
            raise RefusedError("REQUEST_EXPIRED", "the request's time is over", kind=Kind.PRECONDITION)
        kept = dossiers.find(connection, dossier.id)
        if kept is None or kept.wrapped_private is None or at_ms >= dossier.unmask_until_ms:
            raise RefusedError("DOSSIER_EXPIRED", "the dossier's time is over", kind=Kind.PRECONDITION)

    def _demand_enough(self, request: UnmaskRequest, at_ms: int) -> None:
        counted = tally(self.core, request, at_ms)
        if not counted.enough:
            raise RefusedError(
                "REQUEST_UNDECIDED",
                f"{counted.needed} custodians must approve, under the governance and freeze now in force",
                kind=Kind.PRECONDITION,
            )

    def _release(self, request: UnmaskRequest) -> IdentitiesReleased:
        with self.core.database.reading() as connection:
            identities = unmask.identities(connection, request.id)
        return IdentitiesReleased(
            mesh=self.core.mesh,
            request=request.id,
            dossier=request.dossier_id,
            recipient=request.recipient,
            identities=tuple(
                ReleasedIdentity(pseudonym=name, sealed=hashlib.sha256(sealed).hexdigest())
                for name, sealed in identities
            ),
        )

    def _answer(
        self, request: UnmaskRequest, dossier: Dossier, counted: Tally, body: bytes, proof: LogProof
    ) -> bytes:
        core = self.core
        with core.database.reading() as connection:
            identities = unmask.identities(connection, request.id)
        opened = self._open(request, dossier, counted, identities)
        answers = [
            self._signed(request, pseudonym, sealed, identity)
            for (pseudonym, sealed), identity in zip(identities, opened, strict=True)
        ]
        return self.encrypt(AnswerFile(body, proof, tuple(answers)).to_bytes(), request.recipient)

    def _open(
        self, request: UnmaskRequest, dossier: Dossier, counted: Tally, identities: list[tuple[str, bytes]]
    ) -> tuple[bytes, ...]:
        core = self.core
        with core.database.reading() as connection:
            shares = unmask.shares(connection, request.id)
            digests = {
                (one.subset, one.custodian): one.digest for one in dossiers.shares(connection, dossier.id)
            }
        subset = next((one.subset for one in shares if set(one.subset) <= counted.approved), None)
        if subset is None or dossier.wrapped_private is None or dossier.sealed_secret is None:
            raise RefusedError("SHARES_INCOMPLETE", "no subset's shares are complete", kind=Kind.PRECONDITION)
        job = jobs.OpenIdentities(
            mesh=core.mesh,
            request=request_key(request),
            request_id=bytes.fromhex(request.id),
            dossier_key=jobs.Wrapped(kind=DOSSIER, id=dossier.id, wrapped=dossier.wrapped_private),
            dossier=bytes.fromhex(dossier.id),
            grant=bytes.fromhex(dossier.grant_digest),
            sealed_secret=dossier.sealed_secret,
            shares=tuple(
                jobs.Share(
                    subset=one.subset,
                    custodian=one.custodian,
                    sealed=one.sealed,
                    digest=digests[one.subset, one.custodian],
                )
                for one in shares
                if one.subset == subset
            ),
            identities=tuple(
                jobs.SealedIdentity(pseudonym=name, sealed=sealed) for name, sealed in identities
            ),
        )
        return jobs.IdentitiesOpened.model_validate_json(core.opener.run(job.encode())).identities

    def _signed(
        self, request: UnmaskRequest, pseudonym: str, sealed: bytes, identity: bytes
    ) -> dsse.Envelope:
        core = self.core
        answer = UnmaskAnswer(
            mesh=core.mesh,
            purpose="unmask-answer",
            issued=core.clock.now_ms(),
            expires=None,
            checkpoint=core.journal.checkpoint(),
            request=request.id,
            dossier=request.dossier_id,
            pseudonym=pseudonym,
            identity=base64.b64encode(identity).decode(),
            sealed=hashlib.sha256(sealed).hexdigest(),
        )
        return answer.sign(core.sign)
