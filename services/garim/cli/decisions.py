"""A person's decisions: made in one place, bound to governance, freeze and the log as they see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.custody.v1 import custody_pb2
from garim.cli.keyfiles import read_decision_key
from garim.cli.session import Session
from garim.statements import dsse
from garim.statements.decisions import Action, Decision
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import RefusedError

VALID_MS = 12 * 60 * 60 * 1000
_NEED_REASON = frozenset({"deny", "review-deny", "lift", "cancel", "freeze"})


def make_decision(
    *,
    mesh: str,
    person: str,
    action: Action,
    subject: str,
    reason: str,
    governance: int,
    freeze: str | None,
    checkpoint: CheckpointSeen | None,
    now_ms: int,
    key: Ed25519PrivateKey,
) -> dsse.Envelope:
    """Return a signed decision, good for twelve hours.

    Args:
        mesh: Name of the mesh.
        person: Who decides.
        action: What is decided.
        subject: Digest of the thing, computed by the caller.
        reason: Why.
        governance: The governance version in force.
        freeze: Id of the freeze in force, if any.
        checkpoint: The largest checkpoint that the person's client has pinned.
        now_ms: Time in milliseconds since 1970.
        key: The person's decision key.

    Raises:
        RefusedError: `DECISION_REASON`: this decision needs one.
    """
    if action in _NEED_REASON and not reason.strip():
        raise RefusedError("DECISION_REASON", "say why, with --reason", field="reason")
    return Decision(
        mesh=mesh,
        purpose="decision",
        issued=now_ms,
        expires=now_ms + VALID_MS,
        checkpoint=checkpoint,
        action=action,
        subject=subject,
        reason=reason,
        person=person,
        governance=governance,
        freeze=freeze,
    ).sign(key.sign, keyid=person)


def freeze_in_force(session: Session) -> str | None:
    """Return the id of the freeze in force, or None."""
    status = session.custody.GetCustodyStatus(custody_pb2.GetCustodyStatusRequest())
    return status.freeze_id.hex() or None


Sign = Callable[[Action, str, str], dsse.Envelope]
"""Signs one decision: what is decided, the digest of the thing, why."""


def signer(session: Session, passphrase_file: Path | None, *, log_answers: bool = True) -> Sign:
    """Return what signs decisions with the session's person's key, under what the person sees now.

    Args:
        session: Who decides.
        passphrase_file: See `keyfiles.passphrase_of`.
        log_answers: Whether the newest checkpoint is fetched first; what closes does not wait for the log.
    """
    with session.passphrase(passphrase_file) as passphrase:
        key = read_decision_key(session.person.decision_key, passphrase)
    checkpoint = session.ledger.refresh() if log_answers else session.ledger.checkpoint_seen()
    governance, freeze = session.governance().version, freeze_in_force(session)

    def sign(action: Action, subject: str, reason: str) -> dsse.Envelope:
        return make_decision(
            mesh=session.mesh.mesh,
            person=session.person.name,
            action=action,
            subject=subject,
            reason=reason,
            governance=governance,
            freeze=freeze,
            checkpoint=checkpoint,
            now_ms=session.now_ms(),
            key=key,
        )

    return sign


def decide(
    session: Session,
    action: Action,
    subject: str,
    reason: str,
    passphrase_file: Path | None,
    *,
    log_answers: bool = True,
) -> dsse.Envelope:
    """Sign one decision; see `signer`.

    Args:
        session: Who decides.
        action: What is decided.
        subject: Digest of the thing.
        reason: Why.
        passphrase_file: See `keyfiles.passphrase_of`.
        log_answers: See `signer`.
    """
    return signer(session, passphrase_file, log_answers=log_answers)(action, subject, reason)
