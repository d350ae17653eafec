"""Release the identities of an approved request: log, open, sign, encrypt, store, hand out."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from garim.custody import jobs
from garim.custody.core import Core
from garim.custody.deciding_unmask import (
    Tally,
    end_request,
    find_request,
    finish_request,
    request_key,
    tally_in,
)
from garim.custody.gate import demand_granted, demand_running
from garim.custody.kinds import DOSSIER
from garim.custody.tables import dossiers, unmask
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
class Opened:
    """One opened identity, on its way to the recipient alone."""

    pseudonym: str
    sealed: bytes
    identity: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class OpenedBySubset:
    """Identities and the custodians whose places' shares opened them."""

    subset: tuple[str, ...]
    identities: tuple[Opened, ...]


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
        good_until_ms = min(
            demand_granted(core, dossier.document_digest, dossier.case_id).expires or 0,
            demand_granted(core, request.document_digest, request.case_id).expires or 0,
        )
        if request.state == "released":
            return self._stored(request, dossier)
        self._enter(request, dossier)
        release = self._release(request)
        body = release.to_bytes()
        magnitudes = {"identities": len(release.identities)}
        entry = core.journal.append(RELEASED_ENTRY, body, key=request.id, magnitudes=magnitudes)
        opened = self._open(request, dossier, entry.time_ms)
        answer = self._answer(request, opened.identities, body, entry.proof)
        with core.database.writing() as connection:
            self._demand_open(connection, request, dossier, entry.time_ms)
            counted = self._demand_enough(connection, request, entry.time_ms)
            if not set(opened.subset) <= counted.places:
                raise _undecided(counted)
            if core.clock.now_ms() >= good_until_ms:
                raise RefusedError(
                    "CASE_STATUS",
                    "the case's status is a minute old: collect again",
                    kind=Kind.UNAVAILABLE,
                )
            if not unmask.advance(connection, request.id, ["releasing"], "released", answer=answer):
                raise _state(unmask.find(connection, request.id))
            finish_request(connection, request.id, "released", core.clock.now_ms())
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
        with self.core.database.writing() as connection:
            if now_ms >= request.expires_ms:
                end_request(connection, request.id, "expired", now_ms)
        with self.core.database.writing() as connection:
            self._demand_open(connection, request, dossier, now_ms)
            self._demand_enough(connection, request, now_ms)
            unmask.advance(connection, request.id, unmask.DECIDABLE, "releasing")

    def _demand_open(
        self, connection: Connection, request: UnmaskRequest, dossier: Dossier, at_ms: int
    ) -> None:
        demand_running(connection, request.document_digest)
        demand_running(connection, dossier.document_digest)
        current = unmask.find(connection, request.id)
        if current is None or current.state not in unmask.DECIDABLE:
            raise _state(current)
        if at_ms >= request.expires_ms:
            raise RefusedError("REQUEST_EXPIRED", "the request's time is over", kind=Kind.PRECONDITION)
        kept = dossiers.find(connection, dossier.id)
        if kept is None or kept.wrapped_private is None or at_ms >= dossier.unmask_until_ms:
            raise _expired()

    def _demand_enough(self, connection: Connection, request: UnmaskRequest, at_ms: int) -> Tally:
        counted = tally_in(connection, self.core, request, at_ms)
        if not counted.enough:
            raise _undecided(counted)
        return counted

    def _release(self, request: UnmaskRequest) -> IdentitiesReleased:
        with self.core.database.reading() as connection:
            identities = unmask.identities(connection, request.id)
        return IdentitiesReleased(
            format="garim-identities-released/1",
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
        self, request: UnmaskRequest, identities: Sequence[Opened], body: bytes, proof: LogProof
    ) -> bytes:
        answers = [self._signed(request, one) for one in identities]
        return self.encrypt(AnswerFile(body, proof, tuple(answers)).to_bytes(), request.recipient)

    def _open(self, request: UnmaskRequest, dossier: Dossier, at_ms: int) -> OpenedBySubset:
        core = self.core
        with core.database.reading() as connection:
            # What has stopped the release while it was logged leaves the identities shut.
            self._demand_open(connection, request, dossier, at_ms)
            counted = self._demand_enough(connection, request, at_ms)
            identities = unmask.identities(connection, request.id)
            shares = unmask.shares(connection, request.id)
            digests = {
                (one.subset, one.custodian): one.digest for one in dossiers.shares(connection, dossier.id)
            }
        subset = next((one.subset for one in shares if set(one.subset) <= counted.places), None)
        if not digests or dossier.wrapped_private is None:
            raise _expired()
        if subset is None or dossier.sealed_secret is None:
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
        opened = jobs.IdentitiesOpened.model_validate_json(core.opener.run(job.encode())).identities
        return OpenedBySubset(
            subset,
            tuple(
                Opened(name, sealed, identity)
                for (name, sealed), identity in zip(identities, opened, strict=True)
            ),
        )

    def _signed(self, request: UnmaskRequest, opened: Opened) -> dsse.Envelope:
        core = self.core
        answer = UnmaskAnswer(
            mesh=core.mesh,
            purpose="unmask-answer",
            issued=core.clock.now_ms(),
            expires=None,
            checkpoint=core.journal.checkpoint(),
            request=request.id,
            dossier=request.dossier_id,
            pseudonym=opened.pseudonym,
            identity=base64.b64encode(opened.identity).decode(),
            sealed=hashlib.sha256(opened.sealed).hexdigest(),
        )
        return answer.sign(core.sign)


def _undecided(counted: Tally) -> RefusedError:
    return RefusedError(
        "REQUEST_UNDECIDED",
        f"{counted.needed} custodians must approve, under the governance and freeze now in force",
        kind=Kind.PRECONDITION,
    )


def _state(request: UnmaskRequest | None) -> RefusedError:
    state = "gone" if request is None else request.state
    return RefusedError("REQUEST_STATE", f"the request is {state}", kind=Kind.PRECONDITION)


def _expired() -> RefusedError:
    return RefusedError("DOSSIER_EXPIRED", "the dossier's time is over", kind=Kind.PRECONDITION)
