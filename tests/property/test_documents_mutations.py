"""Nothing but the document itself is accepted as the document."""

from __future__ import annotations

import datetime as dt
import functools
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from garim.documents import base64url, jws
from garim.documents.crls import read_crl
from garim.documents.fields import parse_instant, write_instant
from garim.documents.formats import open_document
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.documents.verify import VerifiedDocument, verify_document
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki, make_pki


@functools.cache
def pki() -> DocumentPki:
    return make_pki(dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC))


@functools.cache
def lists() -> tuple[bytes, bytes]:
    return pki().crls


@functools.cache
def document() -> bytes:
    return documents.signed(pki(), documents.disclosure(pki()))


@functools.cache
def other() -> bytes:
    return documents.signed(pki(), documents.disclosure(pki(), number="2026-압수-0009", mode="erased"))


def verified(data: bytes) -> VerifiedDocument:
    return verify_document(
        data,
        media_type=JWS_MEDIA_TYPE,
        open_document=open_document,
        trust=pki().trust,
        audience=documents.AUDIENCE,
        now_ms=documents.millis(pki()),
        crls=lists(),
        revoked=lambda _identity: False,
    )


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=1500, deadline=None)
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_any_changed_byte_of_the_envelope_is_refused(place: int, flip: int) -> None:
    data = bytearray(document())
    data[place % len(data)] ^= flip
    with pytest.raises(RefusedError):
        verified(bytes(data))


@settings(max_examples=300, deadline=None)
@given(start=st.integers(min_value=0), length=st.integers(min_value=1, max_value=400))
def test_any_cut_is_refused(start: int, length: int) -> None:
    data = document()
    start %= len(data)
    with pytest.raises(RefusedError):
        verified(data[:start] + data[start + length :])


@settings(max_examples=300, deadline=None)
@given(
    place=st.integers(min_value=0),
    piece=st.binary(min_size=1, max_size=8).filter(lambda one: one.strip() != b""),
)
def test_any_insertion_is_refused(place: int, piece: bytes) -> None:
    data = document()
    place %= len(data) + 1
    with pytest.raises(RefusedError):
        verified(data[:place] + piece + data[place:])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(RefusedError):
        verified(data)


@settings(max_examples=300, deadline=None)
@given(
    names=st.lists(st.sampled_from(["payload", "first", "second"]), min_size=1, max_size=3, unique=True),
)
def test_parts_of_two_documents_make_no_third(names: list[str]) -> None:
    one, two = json.loads(document()), json.loads(other())
    mixed = json.loads(json.dumps(one))
    for name in names:
        if name == "payload":
            mixed["payload"] = two["payload"]
        else:
            index = ["first", "second"].index(name)
            mixed["signatures"][index] = two["signatures"][index]
    if len(names) == 3:
        assert verified(json.dumps(mixed).encode()).digest == verified(other()).digest
    else:
        with pytest.raises(RefusedError):
            verified(json.dumps(mixed).encode())


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(documents.disclosure(pki()))),
    value=JSON,
)
def test_a_signed_payload_is_read_as_it_is_or_refused(name: str, value: Any) -> None:
    members = documents.disclosure(pki(), **{name: value})
    data = documents.signed(pki(), members)
    try:
        found = verified(data)
    except RefusedError:
        return
    assert found.payload == documents.payload(members)
    assert json.loads(found.payload)[name] == value


def resigned_with(leaf: bytes) -> bytes:
    """The document with another leaf in the judge's header, signed by the judge's key all the same."""
    envelope = json.loads(document())
    header = {"alg": "ES256", "typ": jws.TYP, "x5c": [base64url.encode_standard(leaf)]}
    protected = base64url.encode(json.dumps(header).encode())
    key = pki().judge.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    der = key.sign(f"{protected}.{envelope['payload']}".encode(), ec.ECDSA(hashes.SHA256()))
    raw = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))
    envelope["signatures"][0] = {"protected": protected, "signature": base64url.encode(raw)}
    return json.dumps(envelope).encode()


def test_the_untouched_leaf_signed_anew_is_accepted() -> None:
    assert verified(resigned_with(pki().judge.certificate.public_bytes(Encoding.DER)))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=2000, deadline=None)
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_a_changed_certificate_is_refused_though_its_own_key_signed(place: int, flip: int) -> None:
    leaf = bytearray(pki().judge.certificate.public_bytes(Encoding.DER))
    leaf[place % len(leaf)] ^= flip
    with pytest.raises(RefusedError):
        verified(resigned_with(bytes(leaf)))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=1000, deadline=None)
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_a_changed_revocation_list_is_refused(place: int, flip: int) -> None:
    data = bytearray(lists()[1])
    data[place % len(data)] ^= flip
    with pytest.raises(RefusedError):
        read_crl(bytes(data), pki().trust, documents.millis(pki()))


@given(data=st.binary(min_size=1, max_size=100))
def test_base64url_reads_back_and_has_one_spelling(data: bytes) -> None:
    text = base64url.encode(data)
    assert base64url.decode(text, field="x") == data
    for twin in (text + "=", text + " ", " " + text):
        with pytest.raises(RefusedError):
            base64url.decode(twin, field="x")


@given(text=st.text(max_size=6))
def test_whatever_base64url_decodes_it_would_write_the_same_way(text: str) -> None:
    try:
        data = base64url.decode(text, field="x")
    except RefusedError:
        return
    assert base64url.encode(data) == text


@given(instant=st.integers(min_value=-(10**12), max_value=10**13))
def test_instants_read_back_to_the_millisecond(instant: int) -> None:
    assert parse_instant(write_instant(instant)) == instant
