"""The gate that every opening passes: no freeze, no revocation, no cancelled case, and a fresh status.

The state in the tables is looked at again, inside the transaction that lets something out, after the log has
answered; so what stops custody acts on everything that has not left yet.
"""

from __future__ import annotations

from sqlalchemy import Connection

from garim.custody.core import Core
from garim.custody.tables import restoring, stopping
from garim.kit.db import Database
from garim.statements.cases import CaseStatus
from garim.statements.refusal import Kind, RefusedError

STATUS_LIFE_MS = 60_000
NONCE_BYTES = 32


def demand_running(connection: Connection, digest: str) -> None:
    """Refuse before the log is compared, while frozen, and for a document that was revoked or cancelled.

    Args:
        connection: An open transaction.
        digest: SHA-256 of the document's payload, hexadecimal.

    Raises:
        RefusedError: `RECOVERY_PENDING`, `FROZEN`, `DOCUMENT_REVOKED` or `CASE_STATE`.
    """
    restoring.demand_checked(connection)
    if stopping.freeze_in_force(connection) is not None:
        raise RefusedError(
            "FROZEN", "custody is frozen: wait until the custodians thaw it", kind=Kind.PRECONDITION
        )
    cause = stopping.stopped(connection, digest)
    if cause == "revoked":
        raise RefusedError("DOCUMENT_REVOKED", "the document has been revoked", kind=Kind.PRECONDITION)
    if cause is not None:
        raise _not_granted()


def is_revoked(database: Database, digest: str) -> bool:
    """Tell whether custody has taken in a revocation of a document."""
    with database.reading() as connection:
        return stopping.stopped(connection, digest) == "revoked"


def demand_granted(core: Core, digest: str, case: str) -> CaseStatus:
    """Ask warrants whether a case is still granted, with a fresh nonce.

    Args:
        core: Custody's means.
        digest: SHA-256 of the document's payload, hexadecimal.
        case: Id of the case that the grant names.

    Raises:
        RefusedError: `CASE_STATUS` (unavailable): no usable answer, so nothing goes on for now. `CASE_STATE`:
            the case is in another state; a cancelled one stays so here for good.
    """
    nonce = core.draw(NONCE_BYTES)
    try:
        envelope = core.warrants.case_status(bytes.fromhex(digest), nonce)
    except RefusedError as error:
        raise _no_status() from error
    now_ms = core.clock.now_ms()
    keys = core.governance.current().keys_of("warrants")
    try:
        status = CaseStatus.verify(envelope, keys, mesh=core.mesh, now=now_ms)
    except RefusedError as error:
        raise _no_status() from error
    if (
        status.nonce != nonce.hex()
        or status.document != digest
        or status.case != case
        or status.expires - status.issued > STATUS_LIFE_MS
    ):
        raise _no_status()
    if status.state == "cancelled":
        with core.database.writing() as connection:
            stopping.stop(connection, digest, "cancelled", now_ms)
    if status.state != "granted":
        raise _not_granted()
    return status


def _no_status() -> RefusedError:
    return RefusedError(
        "CASE_STATUS",
        "warrants gives no usable status of the case, and nothing opens without it: try again",
        kind=Kind.UNAVAILABLE,
    )


def _not_granted() -> RefusedError:
    return RefusedError("CASE_STATE", "the case is not granted, or not any more", kind=Kind.PRECONDITION)
