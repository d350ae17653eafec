from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from garim.api.audit.v1 import audit_pb2
from garim.cli.audit_check import verify_log
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import RefusedError
from garim.translog.leaf import ZERO_SALT, Leaf, commitment_to_digest
from garim.translog.memory import MemoryTree

MESH = "demo.example"
GENESIS = "ab" * 32
CUSTODY = f"spiffe://{MESH}/service/custody"
PAGE = 2


def leaf(kind: str, time_ms: int, *, commitment: bytes = bytes(32), actor: str = CUSTODY) -> bytes:
    return Leaf(kind, time_ms, actor, commitment, {"keys": 3} if kind == "keys-released" else {}).encode()


def honest_leaves() -> list[bytes]:
    first = commitment_to_digest(ZERO_SALT, bytes.fromhex(GENESIS))
    return [
        leaf("genesis", 10, commitment=first),
        leaf("keys-released", 20),
        leaf("keys-released", 20),
        leaf("dossier-closed", 30),
        leaf("approval", 40),
    ]


def auditor(shown: list[bytes], signed: list[bytes] | None = None) -> Any:
    """Return a session whose log has signed one list of leaves and shows another."""
    tree = MemoryTree()
    tree.append(signed if signed is not None else shown)
    seen = CheckpointSeen(size=tree.size, root=tree.root().hex())

    def list_entries(request: audit_pb2.ListEntriesRequest) -> audit_pb2.ListEntriesResponse:
        assert request.pin.size == seen.size
        page = shown[request.start : request.start + min(PAGE, request.page_size)]
        return audit_pb2.ListEntriesResponse(leaves=page, next_start=request.start + len(page))

    return SimpleNamespace(
        ledger=SimpleNamespace(refresh=lambda: seen),
        governance_source=SimpleNamespace(log_genesis=lambda: GENESIS),
        audit=SimpleNamespace(ListEntries=list_entries),
        mesh=SimpleNamespace(mesh=MESH),
    )


def test_an_honest_log_is_counted() -> None:
    report = verify_log(auditor(honest_leaves()))
    assert report.size == 5
    assert report.types == {"genesis": 1, "keys-released": 2, "dossier-closed": 1, "approval": 1}
    assert report.magnitudes == {"keys-released.keys": 6}
    assert (report.first_ms, report.last_ms) == (10, 40)


def _swapped(leaves: list[bytes]) -> list[bytes]:
    return [*leaves[:3], leaf("review", 30), *leaves[4:]]


def _shortened(leaves: list[bytes]) -> list[bytes]:
    return leaves[:-1]


def _other_genesis(leaves: list[bytes]) -> list[bytes]:
    return [leaf("genesis", 10), *leaves[1:]]


def _genesis_by_another(leaves: list[bytes]) -> list[bytes]:
    first = commitment_to_digest(ZERO_SALT, bytes.fromhex(GENESIS))
    other = leaf("genesis", 10, commitment=first, actor=f"spiffe://{MESH}/service/warrants")
    return [other, *leaves[1:]]


def _backwards(leaves: list[bytes]) -> list[bytes]:
    return [*leaves, leaf("approval", 39)]


@pytest.mark.parametrize(
    ("bend", "also_signed", "reason"),
    [
        (_swapped, False, "LOG_ROOT"),
        (_shortened, False, "LOG_RANGE"),
        (_other_genesis, True, "LOG_GENESIS"),
        (_genesis_by_another, True, "LOG_GENESIS"),
        (_backwards, True, "LOG_ORDER"),
    ],
)
def test_a_log_that_shows_something_else_is_refused(
    bend: Callable[[list[bytes]], list[bytes]], also_signed: bool, reason: str
) -> None:
    leaves = honest_leaves()
    with pytest.raises(RefusedError) as refused:
        verify_log(auditor(bend(leaves), bend(leaves) if also_signed else leaves))
    assert refused.value.reason == reason
