from __future__ import annotations

import concurrent.futures

import pytest

from garim.statements.refusal import Kind, RefusedError
from garim.translog.leaf import parse_leaf
from ledger_support.mesh import CUSTODY, WARRANTS, LedgerMesh


def test_an_entry_is_proven_and_pinned_when_append_returns(mesh: LedgerMesh) -> None:
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="case 1", magnitudes={"subjects": 2})
    leaf = mesh.custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)
    assert (leaf.time_ms, dict(leaf.magnitudes)) == (entry.time_ms, {"subjects": 2})
    seen = mesh.warrants.checkpoint_seen()
    assert seen is not None
    assert seen.size == 2 == entry.index + 1
    assert seen == mesh.custody.checkpoint_seen()


def test_the_same_key_and_body_is_the_same_entry(mesh: LedgerMesh) -> None:
    first = mesh.warrants.append("cancel", b"case", key="case 1")
    assert mesh.warrants.append("cancel", b"case", key="case 1") == first
    assert len(mesh.audit.leaves) == 2


def test_the_same_key_with_another_body_is_refused(mesh: LedgerMesh) -> None:
    mesh.warrants.append("cancel", b"case", key="case 1")
    with pytest.raises(RefusedError) as refused:
        mesh.warrants.append("cancel", b"other", key="case 1")
    assert (refused.value.reason, refused.value.kind) == ("LOG_KEY_REUSED", Kind.EXISTS)


def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_commitment(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.silent_after_append = True
    with pytest.raises(RefusedError) as refused:
        mesh.warrants.append("cancel", b"case", key="case 1")
    assert (refused.value.reason, refused.value.kind) == ("LOG_UNAVAILABLE", Kind.UNAVAILABLE)
    mesh.audit.misbehaviour.silent_after_append = False
    again = mesh.open("warrants")
    mesh.clock.advance(60_000)
    assert again.append("cancel", b"case", key="case 1").index == 1
    assert len(mesh.audit.leaves) == 2


def test_the_intent_is_durable_before_the_log_hears_of_it(mesh: LedgerMesh) -> None:
    found: list[bytes] = []

    def look(_kind: str) -> None:
        with mesh.databases["warrants"].reading() as connection:
            found.extend(connection.exec_driver_sql("SELECT body FROM ledger_intents").scalars())

    mesh.audit.before_append = look
    mesh.warrants.append("cancel", b"case", key="case 1")
    assert found == [b"case"]


def test_an_attempt_that_is_two_minutes_old_is_followed_by_another(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.silent_after_append = True
    with pytest.raises(RefusedError):
        mesh.warrants.append("cancel", b"case", key="case 1")
    mesh.audit.misbehaviour.silent_after_append = False
    mesh.clock.advance(120_000)
    entry = mesh.warrants.append("cancel", b"case", key="case 1")
    assert entry.index == 2
    assert entry.time_ms == mesh.clock.now_ms()
    commitments = {parse_leaf(leaf).commitment for leaf in mesh.audit.leaves}
    assert len(commitments) == 3


def test_a_logged_entry_that_is_two_minutes_old_is_appended_afresh(mesh: LedgerMesh) -> None:
    first = mesh.warrants.append("cancel", b"case", key="case 1")
    mesh.clock.advance(119_999)
    assert mesh.warrants.append("cancel", b"case", key="case 1") == first
    mesh.clock.advance(1)
    assert mesh.warrants.append("cancel", b"case", key="case 1").index == 2


def test_custody_seals_body_and_salt_into_its_leaf(mesh: LedgerMesh) -> None:
    entry = mesh.custody.append(
        "destroyed", b"body", key="1", sealed=lambda body, salt: b"sealed" + body + salt
    )
    leaf = parse_leaf(entry.proof.leaf)
    assert leaf.sealed == b"sealed" + b"body" + entry.proof.salt
    intent = mesh.custody.recorded(leaf.commitment)
    assert intent is not None
    assert intent.body == b"body"
    assert mesh.custody.recorded(bytes(32)) is None


def test_a_malformed_kind_is_refused_before_anything_is_stored(mesh: LedgerMesh) -> None:
    for kind, magnitudes in (("Bad Kind", {}), ("fine", {"n": -1}), ("fine", {"Who Is It": 1})):
        with pytest.raises(RefusedError) as refused:
            mesh.warrants.append(kind, b"x", key="1", magnitudes=magnitudes)
        assert refused.value.reason == "LOG_LEAF"
    with mesh.databases["warrants"].reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ledger_intents").scalar_one() == 0


def test_many_threads_append_and_verify_at_once(mesh: LedgerMesh) -> None:
    def work(number: int) -> int:
        entry = mesh.warrants.append("keys-released", b"%d" % number, key=str(number))
        mesh.custody.verify(b"%d" % number, entry.proof, kind="keys-released", actor=WARRANTS)
        return entry.index

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        indexes = list(pool.map(work, range(40)))
    assert sorted(indexes) == list(range(1, 41))
    seen = mesh.warrants.checkpoint_seen()
    assert seen is not None
    assert seen.size == 41


def test_threads_with_one_key_make_one_entry(mesh: LedgerMesh) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(lambda _: mesh.custody.append("thaw", b"t", key="1").index, range(16)))
    assert set(entries) == {1}


def test_genesis_is_leaf_0_with_zero_salt_and_found_again_by_a_custody_without_memory(
    empty_mesh: LedgerMesh,
) -> None:
    document = empty_mesh.governance.versions[0].document
    entry = empty_mesh.custody.begin(document)
    assert (entry.index, entry.proof.salt) == (0, bytes(32))
    assert empty_mesh.custody.begin(document) == entry
    empty_mesh.clock.advance(10 * 24 * 3_600_000)
    empty_mesh.databases["custody"].close()
    (empty_mesh.folder / "custody.db").unlink()
    assert empty_mesh.open("custody").begin(document).index == 0
    assert parse_leaf(empty_mesh.audit.leaves[0]).actor == CUSTODY


def test_a_log_that_has_not_begun_gives_no_entry(empty_mesh: LedgerMesh) -> None:
    with pytest.raises(RefusedError) as refused:
        empty_mesh.warrants.append("cancel", b"case", key="1")
    assert refused.value.reason == "LOG_UNAVAILABLE"
    with pytest.raises(RefusedError) as refused:
        empty_mesh.warrants.refresh()
    assert refused.value.reason == "LOG_UNAVAILABLE"
