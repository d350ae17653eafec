"""A log that is lost, and the version and the log that succeed it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.kit.identity import service_id
from garim.statements import governance
from garim.statements.model import CheckpointSeen
from garim.testing.audit import FakeAudit
from garim.testing.governance import SampleGovernance
from garim.translog.checkpoint import parse_checkpoint_text
from garim.translog.leaf import ZERO_SALT, Leaf, commitment
from garim.translog.note import parse_note


def succeeded(sample: SampleGovernance, former: FakeAudit, origin: str = "log2.test.mesh/garim") -> FakeAudit:
    """Put a version in force that names another log and carries all of the former; return that log.

    Args:
        sample: Governance, whose version in force names the former log.
        former: That log.
        origin: The other log's name.
    """
    key = Ed25519PrivateKey.generate()
    last = parse_checkpoint_text(parse_note(former.note()).text)
    height = sample.chain.height
    document = sample.draft(
        version=height + 1,
        previous=governance.digest(sample.versions[-1].document),
        log_key=key,
        origin=origin,
        old_pins=(CheckpointSeen(size=last.size, root=last.root.hex()),),
    )
    version = sample.signed(document, in_force=height)
    sample.versions.append(version)
    sample.chain.take(version, logged=False)
    log = FakeAudit(former.mesh, origin, former.clock, key=key)
    first = commitment(ZERO_SALT, document)
    log.add(Leaf("genesis", former.clock.now_ms(), service_id(former.mesh, "custody"), first).encode())
    return log
