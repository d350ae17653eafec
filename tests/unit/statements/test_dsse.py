"""Envelopes: exactly the specification's bytes, one pinned key, and nothing that could be read twice."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.statements import dsse
from garim.statements.dsse import Envelope, Signature
from garim.statements.refusal import RefusedError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER_PUBLIC = OTHER.public_key().public_bytes_raw()
TYPE = "application/vnd.garim.test.v1+json"
SPECIFICATION = Path(__file__).parents[4] / "shared" / "testdata" / "vectors" / "dsse" / "protocol.md"


def reason(envelope: Envelope, payload_type: str = TYPE, keys: tuple[bytes, ...] = (PUBLIC,)) -> str:
    with pytest.raises(RefusedError) as refused:
        dsse.verify(envelope, payload_type, keys)
    return refused.value.reason


def signed() -> Envelope:
    return dsse.sign(TYPE, b'{"a":1}', KEY.sign, "for people")


@pytest.mark.shared
@pytest.mark.skipif(not SPECIFICATION.is_file(), reason="the outside test data are absent")
def test_the_specifications_vector() -> None:
    blocks = re.findall(
        r"```\w+\n(.*?)\n```", SPECIFICATION.read_text().split("## Test Vectors")[1], re.DOTALL
    )
    body, kind, encoded = (block.encode() for block in blocks[:3])
    assert dsse.pae(kind.decode(), body) == encoded
    result = json.loads(blocks[4])
    result["signatures"][0]["keyid"] = ""
    envelope = dsse.from_json(result)
    assert (envelope.payload, envelope.payload_type) == (body, kind.decode())
    assert dsse.to_json(envelope) == result


def test_lengths_are_counted_in_bytes() -> None:
    assert dsse.pae("가림", "가".encode()) == b"DSSEv1 6 " + "가림".encode() + b" 3 " + "가".encode()
    assert dsse.pae("", b"") == b"DSSEv1 0  0 "


def test_the_bytes_of_a_signed_envelope_never_change() -> None:
    assert dsse.to_bytes(signed()) == GOLDEN


GOLDEN = (
    b'{"payload":"eyJhIjoxfQ==","payloadType":"application/vnd.garim.test.v1+json",'
    b'"signatures":[{"keyid":"for people","sig":"4C8+BYyyqVAA8HuS+KTSMTxII3Fztm3SKo17vEeOMbhl/DK'
    b'UsAEgN5oKcv5NUKbtPQmJ+oT/WW17CTYfEcXKBg=="}]}'
)


def test_an_envelope_reads_as_it_was_written() -> None:
    assert dsse.from_bytes(dsse.to_bytes(signed())) == signed()
    assert dsse.verify(dsse.from_bytes(dsse.to_bytes(signed())), TYPE, [PUBLIC]) == b'{"a":1}'


def test_another_type_is_refused_though_signed() -> None:
    assert reason(signed(), "application/vnd.garim.other.v1+json") == "STATEMENT_TYPE"


def test_the_type_is_signed() -> None:
    other = "application/vnd.garim.other.v1+json"
    assert reason(dataclasses.replace(signed(), payload_type=other), other) == "STATEMENT_SIGNATURE"


def test_only_pinned_keys_count_and_the_key_id_selects_none() -> None:
    assert reason(signed(), keys=()) == "STATEMENT_SIGNATURE"
    assert reason(signed(), keys=(OTHER_PUBLIC,)) == "STATEMENT_SIGNATURE"
    named = dsse.sign(TYPE, b'{"a":1}', OTHER.sign, PUBLIC.hex())
    assert reason(named) == "STATEMENT_SIGNATURE"
    assert dsse.verify(signed(), TYPE, [OTHER_PUBLIC, PUBLIC]) == b'{"a":1}'


def test_a_changed_payload_or_signature_is_refused() -> None:
    first = signed()
    assert reason(dataclasses.replace(first, payload=b'{"a":2}')) == "STATEMENT_SIGNATURE"
    for sig in (b"", first.signatures[0].sig[:-1], first.signatures[0].sig + b"\x00", bytes(64)):
        assert reason(dataclasses.replace(first, signatures=(Signature("", sig),))) == "STATEMENT_SIGNATURE"


def test_a_signature_over_the_bare_payload_is_refused() -> None:
    bare = dataclasses.replace(signed(), signatures=(Signature("", KEY.sign(b'{"a":1}')),))
    assert reason(bare) == "STATEMENT_SIGNATURE"


def test_exactly_one_signature_is_expected() -> None:
    first = signed()
    assert reason(dataclasses.replace(first, signatures=())) == "STATEMENT_SIGNATURES"
    assert reason(dataclasses.replace(first, signatures=first.signatures * 2)) == "STATEMENT_SIGNATURES"


def sample() -> dict[str, object]:
    return dsse.to_json(signed())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"more": 1}, ""),
        ({"payloadType": 1}, "payloadType"),
        ({"payload": 1}, "payload"),
        ({"payload": "e30"}, "payload"),
        ({"payload": "e31="}, "payload"),
        ({"payload": "e-_="}, "payload"),
        ({"payload": " e30="}, "payload"),
        ({"signatures": []}, "signatures"),
        ({"signatures": {}}, "signatures"),
        ({"signatures": ["x"]}, "signatures[0]"),
        ({"signatures": [{"sig": ""}]}, "signatures[0]"),
        ({"signatures": [{"keyid": 1, "sig": ""}]}, "signatures[0]"),
        ({"signatures": [{"keyid": "", "sig": "", "x": 1}]}, "signatures[0]"),
        ({"signatures": [{"keyid": "", "sig": "!"}]}, "signatures[0].sig"),
    ],
)
def test_an_envelope_that_could_be_read_in_two_ways_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(RefusedError) as refused:
        dsse.from_json(sample() | change)
    assert (refused.value.reason, refused.value.field) == ("STATEMENT_ENVELOPE", field)


@pytest.mark.parametrize("missing", ["payload", "payloadType", "signatures"])
def test_an_envelope_with_a_missing_member_is_refused(missing: str) -> None:
    with pytest.raises(RefusedError, match="STATEMENT_ENVELOPE"):
        dsse.from_json({key: value for key, value in sample().items() if key != missing})


def test_what_is_no_envelope_is_refused() -> None:
    for value in ([], "", None, 1):
        with pytest.raises(RefusedError, match="STATEMENT_ENVELOPE"):
            dsse.from_json(value)
    with pytest.raises(RefusedError, match="JSON_DUPLICATE_KEY"):
        dsse.from_bytes(b'{"payload":"","payload":"","payloadType":"","signatures":[]}')


def test_the_payload_is_carried_not_rebuilt() -> None:
    odd = b'{ "b":1,\n"a" : 2 }'
    envelope = dsse.from_bytes(dsse.to_bytes(dsse.sign(TYPE, odd, KEY.sign)))
    assert dsse.verify(envelope, TYPE, [PUBLIC]) == odd
    assert base64.b64encode(odd).decode() in dsse.to_bytes(envelope).decode()
