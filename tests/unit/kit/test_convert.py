from __future__ import annotations

import pytest

from garim.api.common.v1 import statement_pb2 as pb
from garim.kit import convert
from garim.statements import dsse
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import RefusedError
from garim.translog.proven import LogProof

ENVELOPE = dsse.Envelope("type", b"payload", (dsse.Signature("k", b"s"), dsse.Signature("", b"t")))
PROOF = LogProof(b"leaf", bytes(32), 2**62, (bytes([1]) * 32, bytes([2]) * 32), b"note")


def test_values_survive_the_wire() -> None:
    envelope = pb.Envelope.FromString(convert.envelope_to(ENVELOPE).SerializeToString())
    assert convert.envelope_from(envelope) == ENVELOPE
    proof = pb.LogProof.FromString(convert.proof_to(PROOF).SerializeToString())
    assert convert.proof_from(proof) == PROOF
    logged = pb.LoggedStatement.FromString(convert.logged_to(ENVELOPE, PROOF).SerializeToString())
    assert convert.logged_from(logged) == (ENVELOPE, PROOF)
    document = convert.Received("application/x", b"content", (b"a", b"b"))
    message = pb.Document.FromString(convert.document_to(document).SerializeToString())
    assert convert.document_from(message) == document


@pytest.mark.parametrize("missing", ["statement", "proof"])
def test_half_a_logged_statement_is_refused_by_name(missing: str) -> None:
    message = convert.logged_to(ENVELOPE, PROOF)
    message.ClearField(missing)  # type: ignore[arg-type]
    with pytest.raises(RefusedError) as refused:
        convert.logged_from(message, field="grant")
    assert (refused.value.reason, refused.value.field) == ("FIELD_MISSING", f"grant.{missing}")


def test_a_pin_survives_the_wire_and_none_is_size_0() -> None:
    pin = CheckpointSeen(size=7, root="ab" * 32)
    assert convert.pin_from(convert.pin_to(pin)) == pin
    assert convert.pin_from(convert.pin_to(None)) is None


@pytest.mark.parametrize("pin", [pb.Pin(size=1), pb.Pin(size=1, root=bytes(31)), pb.Pin(root=bytes(32))])
def test_a_pin_whose_root_does_not_fit_its_size_is_refused(pin: pb.Pin) -> None:
    with pytest.raises(RefusedError) as refused:
        convert.pin_from(pin)
    assert refused.value.reason == "LOG_PIN"
