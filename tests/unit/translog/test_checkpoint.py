"""A checkpoint counts when the log of this origin signed it and every required witness cosigned it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from garim.statements.refusal import RefusedError
from garim.translog.checkpoint import Checkpoint, parse_checkpoint_text, sign_checkpoint, verify_checkpoint
from garim.translog.cosignature import cosign, cosigned_message, verify_cosignature
from garim.translog.encoding import encode_base64
from garim.translog.keys import SignatureType
from garim.translog.note import Note, parse_note, sign_note
from garim.translog.tree import EMPTY_ROOT
from unit.translog.small_log import ORIGIN, SmallLog, signer

ROOT = "V721z5n1Ztn7c3YmSZ+17MFtx7El+2yJZRkCSkwar4U="
GOLDEN = (
    f"log.example/garim\n6\n{ROOT}\n\n"
    "— log.example/garim "
    "b107sEHGIZMJa2iwVkIRTFDcGNHfQhUpuTlwmZJCk6xmvaJsn6Mp/KbPxRuepjEziXLNmSxc9dXoOUXL3r6i5/KaMAE=\n"
    "— witness.example/w1 "
    "3xwKNQAAAABlU/EAHX3WyKrNmQdpIiIBWuLiFrUJcIqc799tLuI40Q5OYYWJzEu0fc2a5vN8ejeDO+n0t0L1DVWgGRvuOq2cPMiwAA==\n"
)
OTHER_WITNESS = signer("witness.example/w2", 3, SignatureType.COSIGNATURE_V1)


def test_the_bytes_of_a_signed_and_cosigned_checkpoint_never_change(small_log: SmallLog) -> None:
    assert small_log.note() == GOLDEN.encode()


def test_a_signed_and_cosigned_checkpoint_is_accepted(small_log: SmallLog) -> None:
    checkpoint = verify_checkpoint(
        GOLDEN.encode(), small_log.log.key, ORIGIN, witnesses=[small_log.witness.key]
    )
    assert checkpoint == Checkpoint(ORIGIN, 6, small_log.tree.root())


def test_without_configured_witnesses_the_logs_signature_is_enough(small_log: SmallLog) -> None:
    assert verify_checkpoint(GOLDEN.encode(), small_log.log.key, ORIGIN).size == 6


def test_a_checkpoint_not_signed_by_the_log_is_refused(small_log: SmallLog) -> None:
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_checkpoint(GOLDEN.encode(), signer(ORIGIN, 9).key, ORIGIN)
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_checkpoint(GOLDEN.replace("\n6\n", "\n7\n").encode(), small_log.log.key, ORIGIN)


def test_another_logs_checkpoint_is_refused_even_under_the_same_key(small_log: SmallLog) -> None:
    other = sign_checkpoint(Checkpoint("other.example", 6, small_log.tree.root()), small_log.log)
    with pytest.raises(RefusedError, match="LOG_ORIGIN"):
        verify_checkpoint(other, small_log.log.key, ORIGIN)


def test_every_configured_witness_must_have_cosigned(small_log: SmallLog) -> None:
    witnesses = [small_log.witness.key, OTHER_WITNESS.key]
    with pytest.raises(RefusedError, match="LOG_WITNESS"):
        verify_checkpoint(small_log.note(), small_log.log.key, ORIGIN, witnesses=witnesses)
    both = cosign(parse_note(small_log.note()), OTHER_WITNESS, 1).encode()
    assert verify_checkpoint(both, small_log.log.key, ORIGIN, witnesses=witnesses).size == 6


def test_required_names_may_be_fewer_but_must_be_configured(small_log: SmallLog) -> None:
    def verify(*required: str) -> Checkpoint:
        witnesses = [small_log.witness.key, OTHER_WITNESS.key]
        return verify_checkpoint(
            small_log.note(), small_log.log.key, ORIGIN, witnesses=witnesses, required=required
        )

    assert verify("witness.example/w1").size == 6
    for missing in ("witness.example/w2", "witness.example/w3"):
        with pytest.raises(RefusedError, match="LOG_WITNESS"):
            verify("witness.example/w1", missing)


def test_a_forged_cosignature_refuses_the_note_even_where_it_is_not_required(small_log: SmallLog) -> None:
    forged = parse_note(small_log.note()).with_signature(OTHER_WITNESS.key, bytes(72)).encode()
    with pytest.raises(RefusedError, match="LOG_WITNESS"):
        verify_checkpoint(
            forged, small_log.log.key, ORIGIN, witnesses=[OTHER_WITNESS.key], required=["witness.example/w1"]
        )


def test_a_witness_is_not_the_log_and_not_another_witness(small_log: SmallLog) -> None:
    log, witness = small_log.log.key, small_log.witness.key
    same_key = signer("witness.example/w9", 2, SignatureType.COSIGNATURE_V1).key
    same_name = signer("witness.example/w1", 5, SignatureType.COSIGNATURE_V1).key
    logs_own = signer("witness.example/w9", 1, SignatureType.COSIGNATURE_V1).key
    for witnesses in ([witness, same_key], [witness, same_name], [logs_own], [witness, witness]):
        with pytest.raises(RefusedError, match="LOG_KEY"):
            verify_checkpoint(small_log.note(), log, ORIGIN, witnesses=witnesses)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n6\n",
        f"{ORIGIN}\n6\n{ROOT}",
        f"{ORIGIN}\n6\n{ROOT}\n\n",
        f"\n6\n{ROOT}\n",
        f"{ORIGIN}\n6\n{ROOT}\nextension\n",
        f"{ORIGIN}\n06\n{ROOT}\n",
        f"{ORIGIN}\n+6\n{ROOT}\n",
        f"{ORIGIN}\n-6\n{ROOT}\n",
        f"{ORIGIN}\n 6\n{ROOT}\n",
        f"{ORIGIN}\n６\n{ROOT}\n",
        f"{ORIGIN}\n6_0\n{ROOT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ROOT}\n",
        f"{ORIGIN}\n99999999999999999999\n{ROOT}\n",
        f"{ORIGIN}\n6\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n6\n{ROOT.replace('4U=', '4V=')}\n",
        f"{ORIGIN}\n6\n {ROOT}\n",
        f"{ORIGIN}\n6\n{encode_base64(bytes(31))}\n",
        f"{ORIGIN}\n6\n{encode_base64(bytes(33))}\n",
        f"{ORIGIN}\n0\n{ROOT}\n",
        f"{ORIGIN}\r\n6\n{ROOT}\n",
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="LOG_CHECKPOINT"):
        parse_checkpoint_text(text)


@pytest.mark.parametrize("origin", ["", "a\nb", "a\n", "a\x00"])
def test_no_checkpoint_is_made_whose_origin_is_not_one_line(origin: str) -> None:
    with pytest.raises(RefusedError, match="LOG_CHECKPOINT"):
        Checkpoint(origin, 6, bytes(32))


def test_an_empty_tree_has_the_one_empty_root() -> None:
    text = f"{ORIGIN}\n0\n{encode_base64(EMPTY_ROOT)}\n"
    assert parse_checkpoint_text(text) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert Checkpoint(ORIGIN, 0, EMPTY_ROOT).text() == text


def test_extension_lines_are_taken_only_where_allowed(small_log: SmallLog) -> None:
    note = sign_note(f"{ORIGIN}\n6\n{ROOT}\nextension\n", small_log.log).encode()
    with pytest.raises(RefusedError, match="LOG_CHECKPOINT"):
        verify_checkpoint(note, small_log.log.key, ORIGIN)
    assert verify_checkpoint(note, small_log.log.key, ORIGIN, allow_extensions=True).size == 6
    with pytest.raises(RefusedError, match="LOG_CHECKPOINT"):
        parse_checkpoint_text(f"{ORIGIN}\n6\n{ROOT}\n\nextension\n", allow_extensions=True)


def test_a_cosignature_says_when(small_log: SmallLog) -> None:
    note = parse_note(small_log.note())
    assert verify_cosignature(note, small_log.witness.key) == 1_700_000_000
    assert verify_cosignature(note, OTHER_WITNESS.key) is None
    assert verify_cosignature(cosign(note, small_log.witness, 5), small_log.witness.key) == 1_700_000_000


def test_a_cosignatures_time_is_signed(small_log: SmallLog) -> None:
    note = parse_note(small_log.note())
    value = note.signatures[1].value
    later = (1_700_000_001).to_bytes(8, "big") + value[8:]
    for changed in (later, value[:-1], value + b"\0", b"", b"\xff" + value[1:]):
        with pytest.raises(RefusedError, match="LOG_WITNESS"):
            verify_cosignature(
                Note(note.text, ()).with_signature(small_log.witness.key, changed), small_log.witness.key
            )


def test_a_time_beyond_63_bits_is_refused_even_when_signed(small_log: SmallLog) -> None:
    note = parse_note(small_log.note())
    seconds = 2**63
    signature = small_log.witness.sign(cosigned_message(note.text, seconds))
    planted = note.with_signature(small_log.witness.key, seconds.to_bytes(8, "big") + signature)
    with pytest.raises(RefusedError, match="LOG_WITNESS"):
        verify_cosignature(planted, small_log.witness.key)
    for impossible in (-1, 2**63):
        with pytest.raises(RefusedError, match="LOG_WITNESS"):
            cosign(note, small_log.witness, impossible)


def test_a_logs_key_neither_cosigns_nor_verifies_cosignatures(small_log: SmallLog) -> None:
    note = parse_note(small_log.note())
    with pytest.raises(RefusedError, match="LOG_KEY"):
        cosign(note, small_log.log, 1)
    with pytest.raises(RefusedError, match="LOG_KEY"):
        verify_cosignature(note, small_log.log.key)
    with pytest.raises(RefusedError, match="LOG_KEY"):
        sign_checkpoint(small_log.checkpoint(), small_log.witness)


@pytest.mark.shared
def test_the_checkpoint_of_the_specification_is_read(c2sp: Callable[[str], str]) -> None:
    example = re.search(r"```\n(.*?)```", c2sp("tlog-checkpoint.md"), re.DOTALL)
    assert example
    note = parse_note(example[1].encode())
    checkpoint = parse_checkpoint_text(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == note.text
    assert note.encode() == example[1].encode()


@pytest.mark.shared
def test_the_cosigned_message_is_that_of_the_specification(c2sp: Callable[[str], str]) -> None:
    page = c2sp("tlog-cosignature.md")
    example = re.search(r"```\n(example\.com.*?)```", page, re.DOTALL)
    message = re.search(r"(?:^ {4}.*\n)+", page[page.index("    cosignature/v1") :], re.MULTILINE)
    assert example
    assert message
    note = parse_note(example[1].encode())
    cosignature = note.signatures[1]
    seconds = int.from_bytes(cosignature.value[:8], "big")
    assert (seconds, len(cosignature.value)) == (1679315147, 72)
    expected = "".join(line[4:] for line in message[0].splitlines(keepends=True))
    assert cosigned_message(note.text, seconds) == expected.encode()
