"""A statement counts as logged only if its own body, type and actor are in the signed tree."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from garim.statements.refusal import RefusedError
from garim.statements.strict_json import dump, parse_object
from garim.translog.checkpoint import Checkpoint, sign_checkpoint
from garim.translog.keys import SignatureType
from garim.translog.leaf import Leaf, parse_leaf
from garim.translog.proven import LogProof, verify_logged
from unit.translog.small_log import ACTOR, ORIGIN, SmallLog, signer


def verify(
    log: SmallLog, proof: LogProof | None = None, body: bytes | None = None, **other: Any
) -> tuple[Leaf, Checkpoint]:
    arguments = {
        "log_key": log.log.key,
        "origin": ORIGIN,
        "witnesses": [log.witness.key],
        "expect_type": "grant-issued",
        "expect_actor": ACTOR,
    }
    return verify_logged(log.body if body is None else body, proof or log.proof(), **{**arguments, **other})


def test_a_logged_body_is_accepted(small_log: SmallLog) -> None:
    leaf, checkpoint = verify(small_log)
    assert leaf == parse_leaf(small_log.leaf)
    assert checkpoint == small_log.checkpoint()


def test_another_body_or_salt_is_refused(small_log: SmallLog) -> None:
    with pytest.raises(RefusedError, match="LOG_COMMITMENT"):
        verify(small_log, body=small_log.body + b" ")
    with pytest.raises(RefusedError, match="LOG_COMMITMENT"):
        verify(small_log, replace(small_log.proof(), salt=bytes(32)))
    with pytest.raises(RefusedError, match="LOG_SALT"):
        verify(small_log, replace(small_log.proof(), salt=b""))


def test_another_type_is_refused(small_log: SmallLog) -> None:
    with pytest.raises(RefusedError, match="LOG_TYPE"):
        verify(small_log, expect_type="unmask-granted")


def test_another_services_entry_is_refused(small_log: SmallLog) -> None:
    with pytest.raises(RefusedError, match="LOG_ACTOR"):
        verify(small_log, expect_actor="spiffe://mesh.example/service/custody")


def test_a_leaf_that_is_not_in_the_tree_is_refused(small_log: SmallLog) -> None:
    planted = replace(parse_leaf(small_log.leaf), time_ms=1).encode()
    for proof in (
        replace(small_log.proof(), leaf=planted),
        replace(small_log.proof(), index=2),
        replace(small_log.proof(), path=()),
    ):
        with pytest.raises(RefusedError, match="LOG_INCLUSION"):
            verify(small_log, proof)


def test_what_is_in_the_tree_but_no_leaf_is_refused(small_log: SmallLog) -> None:
    path = tuple(small_log.tree.inclusion(4, 6))
    with pytest.raises(RefusedError, match="JSON_"):
        verify(small_log, replace(small_log.proof(), leaf=b"leaf 4", index=4, path=path))


def test_a_checkpoint_without_the_log_the_origin_or_the_witness_is_refused(small_log: SmallLog) -> None:
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify(small_log, log_key=signer(ORIGIN, 9).key)
    with pytest.raises(RefusedError, match="LOG_ORIGIN"):
        verify(small_log, origin="other.example")
    alone = replace(small_log.proof(), checkpoint=sign_checkpoint(small_log.checkpoint(), small_log.log))
    with pytest.raises(RefusedError, match="LOG_WITNESS"):
        verify(small_log, alone)
    assert verify(small_log, alone, required=())[1].size == 6
    stranger = signer("witness.example/w2", 3, SignatureType.COSIGNATURE_V1)
    with pytest.raises(RefusedError, match="LOG_WITNESS"):
        verify(small_log, witnesses=[stranger.key])


def test_a_proof_comes_back_from_its_file_form(small_log: SmallLog) -> None:
    proof = small_log.proof()
    written = dump(proof.to_object())
    assert LogProof.from_object(parse_object(written)) == proof
    assert dump(LogProof.from_object(json.loads(written)).to_object()) == written


def test_the_file_form_shows_leaf_and_checkpoint_as_text(small_log: SmallLog) -> None:
    members = small_log.proof().to_object()
    assert sorted(members) == ["checkpoint", "index", "leaf", "path", "salt"]
    assert members["leaf"].encode() == small_log.leaf
    assert members["checkpoint"].startswith("log.example/garim\n6\n")
    assert members["path"][0] == small_log.tree.inclusion(3, 6)[0].hex()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("index", -1),
        ("index", True),
        ("index", "3"),
        ("index", 2**63),
        ("path", None),
        ("path", "00"),
        ("path", ["00"]),
        ("path", ["AA" * 32]),
        ("path", [1]),
        ("path", ["00" * 32] * 64),
        ("salt", "00" * 31),
        ("salt", None),
        ("leaf", None),
        ("checkpoint", 1),
        ("more", 1),
    ],
)
def test_a_file_form_with_other_members_is_refused(small_log: SmallLog, name: str, value: Any) -> None:
    with pytest.raises(RefusedError, match="LOG_PROOF"):
        LogProof.from_object({**small_log.proof().to_object(), name: value})


def test_a_file_form_without_a_member_is_refused(small_log: SmallLog) -> None:
    members = small_log.proof().to_object()
    for name in members:
        with pytest.raises(RefusedError, match="LOG_PROOF"):
            LogProof.from_object({key: value for key, value in members.items() if key != name})


def test_a_proof_that_its_file_form_cannot_hold_is_not_written(small_log: SmallLog) -> None:
    for wrong in ({"leaf": b"\xff"}, {"checkpoint": b"\xff"}, {"salt": b""}, {"path": (b"",)}):
        with pytest.raises(RefusedError, match="LOG_PROOF"):
            replace(small_log.proof(), **wrong).to_object()
