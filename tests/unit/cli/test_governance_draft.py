from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cli_support.world import World
from garim.cli.governance_commands import demand_follows
from garim.cli.governance_draft import drafted, highest, keep_pinned_policy, pins_in, read_pin
from garim.cli.governance_init import key_text
from garim.kit.db import Database
from garim.kit.ledger import tables
from garim.statements.governance import LogIdentity
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import RefusedError


def test_a_succession_that_forgets_what_the_custodian_has_pinned_is_not_signed(world: World) -> None:
    key = key_text(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    seen, more = CheckpointSeen(size=9, root="ab" * 32), CheckpointSeen(size=10, root="cd" * 32)
    log = LogIdentity(origin="log2.test/garim", key=key, witnesses=(), old_pins=highest([seen]))
    draft = drafted(world.governance, world.document, world.now_ms, log)
    assert demand_follows(draft, world.document, world.governance, seen).log.old_pins == (seen,)
    with pytest.raises(RefusedError, match="GOVERNANCE_LOG"):
        demand_follows(draft, world.document, world.governance, more)
    assert highest([seen, more]) == (more,)


def test_a_drafted_version_follows_the_one_in_force(world: World) -> None:
    draft = drafted(world.governance, world.document, world.now_ms)
    assert demand_follows(draft, world.document, world.governance, None).version == 2


def test_pins_are_read_from_a_database_and_written_as_they_are_named(tmp_path: Path) -> None:
    database = Database(tmp_path / "service.db")
    with database.writing() as connection:
        tables.create_all(connection)
        connection.execute(
            tables.pins.insert().values(origin="log.test/garim", size=7, root=bytes(32), note=b"")
        )
    database.close()
    found = pins_in(tmp_path / "service.db")["log.test/garim"]
    assert read_pin(f"{found.size}:{found.root}") == found
    with pytest.raises(RefusedError, match="FILE_MISSING"):
        pins_in(tmp_path / "nothing.db")
    for bent in ("7", "7:", f"07:{found.root}", f"7:{found.root.upper()}g"):
        with pytest.raises(RefusedError, match="PIN_FORM"):
            read_pin(bent)


def test_a_draft_pins_a_new_policy_and_nothing_else_changes(world: World) -> None:
    draft = drafted(world.governance, world.document, world.now_ms, policy="ab" * 32)
    proposed = demand_follows(draft, world.document, world.governance, None)
    plain = drafted(world.governance, world.document, world.now_ms)
    unchanged = demand_follows(plain, world.document, world.governance, None)
    assert proposed == unchanged.model_copy(update={"policy": "ab" * 32})


def test_the_replaced_policy_is_kept_by_its_digest_beside_the_present_one(tmp_path: Path) -> None:
    present = tmp_path / "policy" / "kr.yaml"
    assert keep_pinned_policy(present, "ab" * 32) is None
    present.parent.mkdir()
    present.write_bytes(b"versions: []\n")
    digest = hashlib.sha256(present.read_bytes()).hexdigest()
    kept = keep_pinned_policy(present, digest)
    assert kept == present.with_name(f"{digest}.yaml")
    assert kept.read_bytes() == present.read_bytes()
    present.write_bytes(b"# the new one\n")
    assert keep_pinned_policy(present, digest) == kept
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == digest
    with pytest.raises(RefusedError, match="POLICY_DIGEST"):
        keep_pinned_policy(present, "cd" * 32)
