"""What must hold after every fault: no case stands still, nothing was released without its log entry."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter

from faults_support.mesh import FaultMesh
from garim.cli.audit_check import verify_log
from garim.cli.session import session
from garim.statements.refusal import RefusedError
from mesh_support.live import insist

SETTLED_WITHIN_S = 180.0
_PAUSE_S = 0.5
LOGGING = ("custody", "warrants", "messages", "redaction")
# What was to be logged before an act that a dead process never did is owed by nobody: it is in no log and
# had no effect.
_UNSETTLED = "SELECT count(*) FROM ledger_intents WHERE deferred AND proof IS NULL AND NOT superseded"
_UNDELIVERED = "SELECT count(*) FROM cases WHERE state NOT IN ('delivered', 'unmask-requested')"
_OPEN_DOSSIERS = "SELECT count(*) FROM dossiers WHERE state <> 'closed'"
_OPEN_REQUESTS = "SELECT count(*) FROM unmask_requests WHERE state <> 'released'"
_CLOSED = "SELECT dossier_id FROM dossiers WHERE state = 'closed'"
_RELEASED = "SELECT request_id FROM unmask_requests WHERE state = 'released'"
_LEAVES = "SELECT kind, commitment FROM log_leaves"
_LOGGED_INTENTS = "SELECT kind, key, body, commitment FROM ledger_intents WHERE proof IS NOT NULL"


def settled(mesh: FaultMesh) -> None:
    """Wait until every service has logged what it owed the log.

    Raises:
        AssertionError: It did not within the bound.
    """
    end = time.monotonic() + SETTLED_WITHIN_S
    while owing := {one: count for one in LOGGING if (count := _owed(mesh, one))}:
        assert time.monotonic() < end, f"still not logged: {owing}"
        time.sleep(_PAUSE_S)


def _owed(mesh: FaultMesh, service: str) -> int:
    with contextlib.suppress(Exception):
        return int(mesh.rows(service, _UNSETTLED)[0][0])
    # A table that is not there, or a server that does not answer now.
    return 0 if service == "redaction" else 1


def stuck(mesh: FaultMesh) -> int:
    """Return how many cases, dossiers and requests have not reached their end."""
    return sum(
        int(mesh.rows(service, sql)[0][0])
        for service, sql in (
            ("warrants", _UNDELIVERED),
            ("custody", _OPEN_DOSSIERS),
            ("custody", _OPEN_REQUESTS),
        )
    )


def releases_without_entry(mesh: FaultMesh) -> int:
    """Compare what custody and warrants have let out with the log; return what has no entry there.

    Counted are: entries that a service holds as logged but the log does not have, closed dossiers without a
    logged key release and closing, released requests without exactly one logged release of identities,
    and cases without a logged grant.
    """
    leaves = {(kind, bytes(commitment)) for kind, commitment in mesh.rows("audit", _LEAVES)}
    kinds = Counter(kind for kind, _ in leaves)
    logged: set[tuple[str, str]] = set()
    keyed: set[str] = set()
    missing = 0
    for service in ("custody", "warrants"):
        for kind, key, body, commitment in mesh.rows(service, _LOGGED_INTENTS):
            if (kind, bytes(commitment)) not in leaves:
                missing += 1
                continue
            logged.add((kind, key))
            if kind == "keys-released":
                keyed.add(json.loads(bytes(body))["dossier"])
    dossiers = {one for (one,) in mesh.rows("custody", _CLOSED)}
    released = [one for (one,) in mesh.rows("custody", _RELEASED)]
    missing += len(dossiers - keyed)
    missing += sum(("identities-released", one) not in logged for one in released)
    missing += abs(kinds["identities-released"] - len(released))
    missing += abs(kinds["dossier-closed"] - len(dossiers))
    cases = Counter(kind for (kind,) in mesh.rows("warrants", "SELECT kind FROM cases"))
    missing += abs(kinds["disclosure-granted"] + kinds["unmask-granted"] - cases.total())
    return missing


def entries(mesh: FaultMesh) -> int:
    """Verify the whole log as `garim audit verify` does; return how many entries it has.

    Raises:
        RefusedError: It does not verify.
    """

    def verified() -> int:
        with session(mesh.root, "", "auditor") as auditor:
            return verify_log(auditor).size

    return insist(verified, SETTLED_WITHIN_S)


def verifies(mesh: FaultMesh) -> tuple[int, bool]:
    """Tell how many entries the log has, and whether it verifies."""
    try:
        return entries(mesh), True
    except RefusedError:
        return 0, False
