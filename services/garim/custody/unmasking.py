"""Open an unmask request: custody verifies document, grant, proofs and budget itself."""

from __future__ import annotations

import dataclasses
import hashlib

from sqlalchemy import Connection

from garim.custody import jobs
from garim.custody.checks import (
    LoggedGrant,
    demand_policy,
    verified_document,
    verified_grant,
    version_for,
)
from garim.custody.core import Core
from garim.custody.gate import demand_granted, demand_running
from garim.custody.kinds import REQUEST
from garim.custody.tables import dossiers, objects, unmask
from garim.custody.tables.dossiers import Dossier
from garim.custody.tables.unmask import UnmaskRequest
from garim.custody.unmask_proofs import demand_first_document, demand_proven, demand_scope
from garim.documents.claims import Supplementary
from garim.documents.policy import DAY_MS
from garim.documents.verify import VerifiedDocument
from garim.kit.convert import Logged, Received
from garim.statements import dsse, strict_json, subjects
from garim.statements.grants import UnmaskGrant
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof

ID_BYTES = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Unmasking:
    """Opens unmask requests.

    Args:
        core: Custody's means.
    """

    core: Core

    def open(self, received: Received, logged: Logged) -> UnmaskRequest:
        """Open a request, or return the one this document has opened before.

        Args:
            received: The supplementary document with the sealed identities it names.
            logged: The unmask grant with its proof.

        Raises:
            RefusedError: Those of documents, grants and the log; `GRANT_SCOPE`, `DOSSIER_UNKNOWN`,
                `DOSSIER_MODE`, `DOSSIER_EXPIRED`, `DOSSIER_NOT_CLOSED`, `FIRST_DOCUMENT`, `PSEUDONYM_PROOF`,
                `UNMASK_BUDGET`, `DOCUMENT_USED`, `FROZEN`, `DOCUMENT_REVOKED`, `CASE_STATE`.
        """
        core = self.core
        document, claims = verified_document(core, received, Supplementary)
        with core.database.reading() as connection:
            demand_running(connection, document.digest)
        grant, proven = verified_grant(core, logged, UnmaskGrant, "unmask-granted")
        demand_scope(grant, document, claims)
        demand_policy(core, grant, claims, proven.leaf.time_ms)
        dossier = self._dossier(claims)
        demand_first_document(dossier, claims)
        identities = demand_proven(dossier, claims, received.attachments)
        known = self._known(document, proven.digest)
        if known is None:
            demand_granted(core, dossier.document_digest, dossier.case_id)
            demand_granted(core, document.digest, grant.case)
            request = self._make(received, document, claims, grant, logged, proven, identities)
            known = self._keep(request, document, dossier, identities, proven.digest)
        self._renew(known, logged)
        return self._logged(known, dossier)

    def _renew(self, known: UnmaskRequest, logged: Logged) -> None:
        """Keep the grant's new proof where the kept one is of a former log, which no custodian takes."""
        if known.is_lost:
            return
        if self.core.log.is_succeeded(LogProof.from_object(strict_json.parse_object(known.grant_proof))):
            with self.core.database.writing() as connection:
                unmask.change(connection, known.id, grant_proof=strict_json.dump(logged.proof.to_object()))

    def _dossier(self, claims: Supplementary) -> Dossier:
        with self.core.database.reading() as connection:
            dossier = dossiers.find(connection, claims.dossier)
            if dossier is not None:
                demand_running(connection, dossier.document_digest)
        if dossier is None:
            raise RefusedError(
                "DOSSIER_UNKNOWN", "there is no such dossier", kind=Kind.NOT_FOUND, field="dossier"
            )
        if dossier.mode != "sealed":
            raise RefusedError("DOSSIER_MODE", "its identities were erased", kind=Kind.PRECONDITION)
        if dossier.state != "closed":
            raise RefusedError("DOSSIER_NOT_CLOSED", "the dossier is not closed", kind=Kind.PRECONDITION)
        if dossier.wrapped_private is None or self.core.clock.now_ms() >= dossier.unmask_until_ms:
            raise _expired()
        if dossier.sealed_secret is None:
            raise RefusedError(
                "DOSSIER_DAMAGED",
                "its sealing secret was lost when custody's database was restored",
                kind=Kind.DATA_LOSS,
            )
        return dossier

    def _known(self, document: VerifiedDocument, grant_digest: str) -> UnmaskRequest | None:
        with self.core.database.reading() as connection:
            return self._known_in(connection, document, grant_digest)

    def _known_in(
        self, connection: Connection, document: VerifiedDocument, grant_digest: str
    ) -> UnmaskRequest | None:
        """Return the request of this payload under this grant; refuse a document used for anything else."""
        identity = document.identity
        used = dossiers.used_for(
            connection, digest=document.digest, authority=identity.authority, number=identity.number
        )
        request = unmask.of_document(connection, document.digest)
        if used is None:
            return None
        if request is None or request.id != used or request.grant_digest != grant_digest:
            raise RefusedError(
                "DOCUMENT_USED", "the document, or its number, was used for something else", kind=Kind.EXISTS
            )
        return request

    def _make(
        self,
        received: Received,
        document: VerifiedDocument,
        claims: Supplementary,
        grant: UnmaskGrant,
        logged: Logged,
        proven: LoggedGrant,
        identities: list[tuple[str, bytes]],
    ) -> UnmaskRequest:
        core = self.core
        request_id = core.draw(ID_BYTES)
        expires_ms = self._expiry(claims, grant, proven.leaf.time_ms)
        with core.database.writing() as connection:
            objects.add(connection, REQUEST, request_id.hex(), expires_ms, "request expired")
        core.provider.create_object(REQUEST, request_id.hex())
        job = jobs.MakeRequestKey(mesh=core.mesh, id=request_id.hex())
        made = jobs.RequestKeyMade.model_validate_json(core.opener.run(job.encode()))
        subject = subjects.unmask(
            request=request_id,
            dossier=bytes.fromhex(claims.dossier),
            grant=logged.statement.payload,
            first=claims.first_document,
            supplementary=document.digest,
            recipient=claims.recipient,
            filer=grant.filer,
            one_time_public=made.public,
            identities=identities,
        )
        body = strict_json.dump(
            {
                "document": document.identity.to_json(),
                "dossier": claims.dossier,
                "filer": grant.filer,
                "grant": proven.digest,
                "identities": {name: hashlib.sha256(sealed).hexdigest() for name, sealed in identities},
                "request": request_id.hex(),
            }
        )
        return UnmaskRequest(
            id=request_id.hex(),
            dossier_id=claims.dossier,
            document_digest=document.digest,
            media_type=received.media_type,
            document=received.content,
            grant_digest=proven.digest,
            grant=dsse.to_bytes(logged.statement),
            grant_proof=strict_json.dump(logged.proof.to_object()),
            case_id=grant.case,
            recipient=claims.recipient,
            filer=grant.filer,
            public_key=made.public,
            wrapped_private=made.private,
            subject=subject,
            state="making",
            opened_ms=core.clock.now_ms(),
            expires_ms=expires_ms,
            opened_body=body,
        )

    def _expiry(self, claims: Supplementary, grant: UnmaskGrant, logged_ms: int) -> int:
        """Return when an undecided request ends: by policy, with its grant or with its dossier."""
        version = version_for(self.core, grant, logged_ms)
        with self.core.database.reading() as connection:
            dossier = dossiers.find(connection, claims.dossier)
        ends = [self.core.clock.now_ms() + version.deadlines.unmask_request_days * DAY_MS]
        ends += [] if dossier is None else [dossier.unmask_until_ms]
        ends += [] if grant.expires is None else [grant.expires]
        return min(ends)

    def _keep(
        self,
        request: UnmaskRequest,
        document: VerifiedDocument,
        dossier: Dossier,
        identities: list[tuple[str, bytes]],
        grant_digest: str,
    ) -> UnmaskRequest:
        """Count the budget, claim the document, keep the request, all at once; a claim in between wins."""
        identity = document.identity
        try:
            with self.core.database.writing() as connection:
                _demand_running(connection, request, dossier)
                known = self._known_in(connection, document, grant_digest)
                if known is not None:
                    objects.end(connection, REQUEST, request.id, self.core.clock.now_ms(), "superseded")
                    return known
                demand_budget(connection, dossier, len(identities), besides=request.id)
                unmask.add(connection, request, identities)
                dossiers.use_document(
                    connection,
                    digest=document.digest,
                    authority=identity.authority,
                    number=identity.number,
                    kind="supplementary",
                    target=request.id,
                )
        except RefusedError:
            with self.core.database.writing() as connection:
                objects.end(connection, REQUEST, request.id, self.core.clock.now_ms(), "superseded")
            raise
        return request

    def _logged(self, request: UnmaskRequest, dossier: Dossier) -> UnmaskRequest:
        """Log the opening if that has not been done yet; only then may custodians decide."""
        if request.state != "making":
            return request
        core = self.core
        entry = core.journal.append("unmask-requested", request.opened_body, key=request.id)
        if entry.time_ms >= request.expires_ms:
            raise _expired()
        with core.database.writing() as connection:
            _demand_running(connection, request, dossier)
            unmask.advance(connection, request.id, ["making"], "pending")
            found = unmask.find(connection, request.id)
        return found or request


def _demand_running(connection: Connection, request: UnmaskRequest, dossier: Dossier) -> None:
    """Refuse while frozen, and where either document is stopped or the dossier's key has gone."""
    demand_running(connection, request.document_digest)
    demand_running(connection, dossier.document_digest)
    kept = dossiers.find(connection, dossier.id)
    if kept is None or kept.wrapped_private is None:
        raise _expired()


def demand_budget(connection: Connection, dossier: Dossier, wanted: int, *, besides: str) -> None:
    """Refuse more identities than the dossiers that share this one's conversations may give up together.

    Args:
        connection: An open transaction.
        dossier: The dossier.
        wanted: How many identities are asked for.
        besides: Id of the request that asks; what it counted before is not counted again.

    Raises:
        RefusedError: `UNMASK_BUDGET`.
    """
    group, fresh = {dossier.id}, {dossier.id}
    while fresh:
        tags = [tag for one in fresh for tag in dossiers.conversations(connection, one)]
        fresh = dossiers.overlapping(connection, tags) - group
        group |= fresh
    budgets = [found.unmask_budget for one in group if (found := dossiers.find(connection, one))]
    if unmask.spent(connection, group, besides=besides) + wanted > min(budgets):
        raise RefusedError(
            "UNMASK_BUDGET",
            "the dossiers of these conversations may not give up so many identities",
            kind=Kind.EXHAUSTED,
            field="identities",
        )


def _expired() -> RefusedError:
    return RefusedError(
        "DOSSIER_EXPIRED", "the dossier's time is over; its key is destroyed", kind=Kind.PRECONDITION
    )
