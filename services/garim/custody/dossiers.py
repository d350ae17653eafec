"""Dossier keys: made once for a document, after custody has verified all that the dossier rests on."""

from __future__ import annotations

from collections.abc import Sequence

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
from garim.custody.kinds import DOSSIER
from garim.custody.review import demand_reviewed, verified_forecast
from garim.custody.scopes import demand_disclosure
from garim.custody.tables import dossiers, objects
from garim.custody.tables.dossiers import Dossier, KeptShare
from garim.documents.claims import Disclosure
from garim.documents.policy import DAY_MS
from garim.documents.verify import VerifiedDocument
from garim.kit.convert import Logged, Received
from garim.statements import dsse, strict_json
from garim.statements.dsse import Envelope
from garim.statements.governance import Governance, raw_key
from garim.statements.grants import DisclosureGrant
from garim.statements.refusal import Kind, RefusedError

ID_BYTES = 16
GRANT_SLACK_MS = 120_000
"""Warrants dates a grant a little before it is logged."""


class Dossiers:
    """Makes dossier keys.

    Args:
        core: Custody's means.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def create_key(
        self, received: Received, logged: Logged, forecast: Envelope, decisions: Sequence[Envelope]
    ) -> Dossier:
        """Make a document's dossier key, or return the dossier that the same payload led to.

        Args:
            received: The disclosure document.
            logged: Its grant with the log proof.
            forecast: The store's forecast.
            decisions: Reviewers' decisions.

        Raises:
            RefusedError: Those of documents; `GRANT_SCOPE`, `STATEMENT_*`, `LOG_*`, `CASE_STATE`,
                `CASE_STATUS`, `FROZEN`, `DOCUMENT_REVOKED`, `DOCUMENT_USED`, `POLICY_*`, `REVIEW_DUE`,
                `SCOPE_REFUSED`.
        """
        core = self._core
        document, claims = verified_document(core, received, Disclosure)
        with core.database.reading() as connection:
            demand_running(connection, document.digest)
        grant, proven = verified_grant(core, logged, DisclosureGrant, "disclosure-granted")
        demand_disclosure(grant, document, claims)
        dossier = self._known(document, proven)
        if dossier is None:
            demand_policy(core, grant, claims, proven.leaf.time_ms)
            self._demand_terms(grant, proven)
            counted = verified_forecast(core, forecast, document, grant)
            demand_reviewed(
                core, document, claims, grant, counted, forecast.payload, decisions, logged, proven
            )
            demand_granted(core, document.digest, grant.case)
            made = self._make(received, document, claims, logged, grant, proven)
            dossier = self._keep(document, proven, *made, counted.conversation_tags)
        else:
            demand_granted(core, document.digest, grant.case)
        return self._opened(dossier)

    def _known(self, document: VerifiedDocument, proven: LoggedGrant) -> Dossier | None:
        """Return the dossier of this payload under this grant; refuse a document used for anything else."""
        identity = document.identity
        with self._core.database.reading() as connection:
            used = dossiers.used_for(
                connection, digest=document.digest, authority=identity.authority, number=identity.number
            )
            dossier = dossiers.of_document(connection, document.digest)
        if used is None:
            return None
        if dossier is None or dossier.id != used or dossier.grant_digest != proven.digest:
            raise _used()
        return dossier

    def _demand_terms(self, grant: DisclosureGrant, proven: LoggedGrant) -> None:
        """Refuse a grant that allows longer or more, or has less masked, than policy at its log entry."""
        version = version_for(self._core, grant, proven.leaf.time_ms)
        latest_ms = proven.leaf.time_ms + version.deadlines.unmask_days * DAY_MS + GRANT_SLACK_MS
        if grant.unmask_until > latest_ms:
            raise _maximum("unmask_until")
        if grant.unmask_budget > version.budgets.unmaskings:
            raise _maximum("unmask_budget")
        if grant.masking.shows_more_than(version.masking):
            raise _maximum("masking")

    def _make(
        self,
        received: Received,
        document: VerifiedDocument,
        claims: Disclosure,
        logged: Logged,
        grant: DisclosureGrant,
        proven: LoggedGrant,
    ) -> tuple[Dossier, list[KeptShare]]:
        core = self._core
        governance = core.governance.current()
        dossier_id = core.draw(ID_BYTES)
        made = self._make_key(dossier_id, grant, governance) if grant.mode == "sealed" else None
        ends = [one for one in (grant.expires, claims.expires_ms) if one is not None]
        body = strict_json.dump(
            {
                "document": document.identity.to_json(),
                "dossier": dossier_id.hex(),
                "governance": governance.version,
                "grant": proven.digest,
                "mode": grant.mode,
                "unmask_until": grant.unmask_until,
            }
        )
        dossier = Dossier(
            id=dossier_id.hex(),
            document_digest=document.digest,
            media_type=received.media_type,
            document=received.content,
            payload=document.payload,
            grant_digest=proven.digest,
            grant=dsse.to_bytes(logged.statement),
            grant_proof=strict_json.dump(logged.proof.to_object()),
            case_id=grant.case,
            mode=grant.mode,
            state="making",
            created_ms=core.clock.now_ms(),
            created_body=body,
            governance_version=governance.version,
            quorum=governance.quorum,
            expires_ms=min(ends) if ends else None,
            unmask_until_ms=grant.unmask_until,
            unmask_budget=grant.unmask_budget,
            public_key=made.public if made else None,
            wrapped_private=made.private if made else None,
        )
        shares = made.shares if made else ()
        kept = [
            KeptShare(one.subset, one.custodian, one.sealed, one.digest, holder=one.custodian)
            for one in shares
        ]
        return dossier, kept

    def _make_key(
        self, dossier_id: bytes, grant: DisclosureGrant, governance: Governance
    ) -> jobs.DossierMade:
        core = self._core
        with core.database.writing() as connection:
            objects.add(connection, DOSSIER, dossier_id.hex(), grant.unmask_until, "unmask deadline")
        core.provider.create_object(DOSSIER, dossier_id.hex())
        job = jobs.MakeDossier(
            mesh=core.mesh,
            id=dossier_id.hex(),
            dossier=dossier_id,
            custodians={one.person: raw_key(one.share_key) for one in governance.custodians},
            quorum=governance.quorum,
            fresh=core.draw(ID_BYTES),
        )
        return jobs.DossierMade.model_validate_json(core.opener.run(job.encode()))

    def _keep(
        self,
        document: VerifiedDocument,
        proven: LoggedGrant,
        dossier: Dossier,
        shares: Sequence[KeptShare],
        conversations: Sequence[str],
    ) -> Dossier:
        """Claim the document and keep the dossier in one transaction; another's claim in between wins."""
        identity = document.identity
        with self._core.database.writing() as connection:
            demand_running(connection, document.digest)
            used = dossiers.used_for(
                connection, digest=document.digest, authority=identity.authority, number=identity.number
            )
            if used is None:
                dossiers.add(connection, dossier, shares, conversations)
                dossiers.use_document(
                    connection,
                    digest=document.digest,
                    authority=identity.authority,
                    number=identity.number,
                    kind="disclosure",
                    target=dossier.id,
                )
                return dossier
            objects.end(connection, DOSSIER, dossier.id, self._core.clock.now_ms(), "superseded")
        known = self._known(document, proven)
        if known is None:
            raise _used()
        return known

    def _opened(self, dossier: Dossier) -> Dossier:
        """Log the dossier's creation if that has not been done yet; only then does it release anything."""
        if dossier.state != "making":
            return dossier
        core = self._core
        entry = core.journal.append("dossier-key-created", dossier.created_body, key=dossier.id)
        demand_unexpired(dossier, entry.time_ms)
        with core.database.writing() as connection:
            demand_running(connection, dossier.document_digest)
            dossiers.change(connection, dossier.id, state="open")
            opened = dossiers.find(connection, dossier.id)
        return opened or dossier


def demand_unexpired(dossier: Dossier, at_ms: int) -> None:
    """Refuse to go on from the end of the grant, of the document or of the dossier's key.

    Args:
        dossier: The dossier.
        at_ms: Time in the log entry just appended.

    Raises:
        RefusedError: `DOSSIER_EXPIRED`.
    """
    ends_ms = min(dossier.unmask_until_ms, dossier.expires_ms or dossier.unmask_until_ms)
    if at_ms >= ends_ms:
        raise RefusedError(
            "DOSSIER_EXPIRED", "the document, its grant or the dossier's time is over", kind=Kind.PRECONDITION
        )


def _used() -> RefusedError:
    return RefusedError(
        "DOCUMENT_USED", "the document, or its number, was used for something else", kind=Kind.EXISTS
    )


def _maximum(field: str) -> RefusedError:
    return RefusedError(
        "POLICY_MAXIMUM", "the grant allows more than policy", kind=Kind.FORBIDDEN, field=f"grant.{field}"
    )
