"""The whole log, read and verified from leaf 0, without trusting the service that serves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from garim.api.audit.v1 import audit_pb2
from garim.cli.session import Session
from garim.kit.convert import pin_to
from garim.kit.identity import service_id
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.translog.leaf import ZERO_SALT, Leaf, commitment_to_digest, parse_leaf
from garim.translog.memory import MemoryTree

_PAGE = 1000


@dataclass(slots=True)
class LogReport:
    """What the log holds; it names no case and nobody.

    Attributes:
        size: Number of leaves.
        root: Merkle root.
        first_ms: Time of the first entry.
        last_ms: Time of the last entry.
        types: Entries by type.
        magnitudes: Sums of the public counts, by entry type and name.
    """

    size: int
    root: str
    first_ms: int = 0
    last_ms: int = 0
    types: Counter[str] = field(default_factory=Counter)
    magnitudes: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "size": self.size,
            "root": self.root,
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
            "entries": dict(sorted(self.types.items())),
            "magnitudes": dict(sorted(self.magnitudes.items())),
        }


def leaves(own: Session, seen: CheckpointSeen) -> Iterator[bytes]:
    """Yield the leaves up to a checkpoint.

    Raises:
        RefusedError: `LOG_RANGE` (data loss): the log shows fewer than it has signed.
    """
    start = 0
    while start < seen.size:
        request = audit_pb2.ListEntriesRequest(
            pin=pin_to(seen), start=start, page_size=min(_PAGE, seen.size - start)
        )
        answer = own.audit.ListEntries(request)
        if not answer.leaves:
            raise RefusedError(
                "LOG_RANGE", "the log shows fewer entries than it has signed", kind=Kind.DATA_LOSS
            )
        yield from answer.leaves[: seen.size - start]
        start += len(answer.leaves)


def verify_log(own: Session) -> LogReport:
    """Prove the newest checkpoint consistent with the own pin, and rebuild its tree from its leaves.

    Args:
        own: An auditor's session.

    Raises:
        RefusedError: `LOG_ROOT`, `LOG_GENESIS`, `LOG_ORDER` (data loss each), and those of the ledger.
    """
    seen = own.ledger.refresh()
    report = LogReport(seen.size, seen.root)
    genesis = bytes.fromhex(own.governance_source.log_genesis())
    tree = MemoryTree()
    for position, data in enumerate(leaves(own, seen)):
        leaf = parse_leaf(data)
        tree.append([data])
        if position == 0:
            _demand_genesis(leaf, genesis, own.mesh.mesh)
            report.first_ms = leaf.time_ms
        elif leaf.time_ms < report.last_ms:
            raise RefusedError("LOG_ORDER", "the log's times decrease", kind=Kind.DATA_LOSS)
        report.last_ms = leaf.time_ms
        report.types[leaf.type] += 1
        for name, value in leaf.magnitudes.items():
            report.magnitudes[f"{leaf.type}.{name}"] += value
    if tree.size != seen.size or tree.root().hex() != seen.root:
        raise RefusedError(
            "LOG_ROOT", "the entries do not give the root that the log has signed", kind=Kind.DATA_LOSS
        )
    return report


def _demand_genesis(leaf: Leaf, genesis: bytes, mesh: str) -> None:
    expected = commitment_to_digest(ZERO_SALT, genesis)
    if leaf.commitment != expected or leaf.actor != service_id(mesh, "custody") or leaf.type != "genesis":
        raise RefusedError(
            "LOG_GENESIS", "the log does not begin with this mesh's governance", kind=Kind.DATA_LOSS
        )
