"""Whether reviewers had to decide on a disclosure, and whether enough of them did."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from garim.custody.checks import LoggedGrant, counting_reviewers, version_for
from garim.custody.core import Core
from garim.custody.tables import dossiers
from garim.custody.tables.dossiers import Dossier
from garim.documents.claims import Disclosure
from garim.documents.policy import ForecastFigures, review_causes
from garim.documents.verify import VerifiedDocument
from garim.kit.convert import Logged
from garim.statements import strict_json, subjects
from garim.statements.dsse import Envelope
from garim.statements.grants import DisclosureGrant
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import Forecast
from garim.translog.proven import LogProof


def verified_forecast(
    core: Core, envelope: Envelope, document: VerifiedDocument, grant: DisclosureGrant
) -> Forecast:
    """Verify the store's forecast for this very document, and that the grant names it.

    Args:
        core: Custody's means.
        envelope: The forecast.
        document: The verified document.
        grant: The verified grant.

    Raises:
        RefusedError: `STATEMENT_*`; `FORECAST_OTHER`.
    """
    governance = core.governance.current()
    claimed = Forecast.from_bytes(envelope.payload).store
    keys = governance.keys_of("messages", claimed)
    forecast = Forecast.verify(envelope, keys, mesh=core.mesh, now=core.clock.now_ms())
    named = hashlib.sha256(envelope.payload).hexdigest()
    if forecast.document != document.digest or grant.forecast != named:
        raise RefusedError(
            "FORECAST_OTHER",
            "the forecast is not the one of this document that the grant names",
            kind=Kind.FORBIDDEN,
            field="forecast",
        )
    return forecast


def demand_reviewed(
    core: Core,
    document: VerifiedDocument,
    claims: Disclosure,
    grant: DisclosureGrant,
    forecast: Forecast,
    forecast_payload: bytes,
    decisions: Iterable[Envelope],
    logged: Logged,
    proven: LoggedGrant,
) -> None:
    """Refuse a disclosure that policy gives to the reviewers unless their quorum approved it.

    Custody judges from its own copy of the policy, the store's figures and its own dossiers.

    Args:
        core: Custody's means.
        document: The verified document.
        claims: What it says.
        grant: The verified grant.
        forecast: The verified forecast.
        forecast_payload: Its exact bytes, which decisions name.
        decisions: Reviewers' decisions.
        logged: The grant with its log proof, whose place and time count.
        proven: The same, verified.

    Raises:
        RefusedError: `SCOPE_REFUSED`, `REVIEW_DUE`, `POLICY_OTHER`, `POLICY_NOT_IN_FORCE`.
    """
    version = version_for(core, grant, proven.leaf.time_ms)
    with core.database.reading() as connection:
        touched = [
            dossiers.find(connection, one)
            for one in dossiers.overlapping(connection, forecast.conversation_tags)
        ]
    # A dossier granted later is the later one's reason for review, not this one's.
    overlaps = any(
        one is not None and one.document_digest != document.digest and _was_granted_before(core, one, logged)
        for one in touched
    )
    figures = ForecastFigures(forecast.bystanders, overlaps or bool(grant.overlaps))
    if not review_causes(claims, figures, version):
        return
    governance = core.governance.current()
    approved = counting_reviewers(
        governance,
        decisions,
        subjects.review(document.digest, forecast_payload, grant.policy),
        judged_under=grant.governance,
        at_ms=proven.leaf.time_ms,
    )
    if len(approved) < governance.review_quorum:
        raise RefusedError(
            "REVIEW_DUE",
            f"policy asks for {governance.review_quorum} reviewers, whose decisions count for this grant",
            kind=Kind.FORBIDDEN,
            field="decisions",
        )


def _was_granted_before(core: Core, dossier: Dossier, logged: Logged) -> bool:
    """Tell whether a dossier's grant stands before another in the log, or in one that was succeeded since."""
    proof = LogProof.from_object(strict_json.parse_object(dossier.grant_proof))
    return core.log.is_succeeded(proof) or proof.index < logged.proof.index
