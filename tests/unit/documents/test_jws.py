from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws as reference
from joserfc.errors import SecurityWarning
from joserfc.jwa import ESAlgorithm
from joserfc.jwk import ECKey, OKPKey

from garim.documents import base64url, jws
from garim.documents.crls import read_crl
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import AUTHORITY, DocumentPki, issue_person

Reasons = Callable[..., list[str]]
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def document(pki: DocumentPki) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(documents.signed(pki, documents.disclosure(pki)))
    return members


def pack(members: object) -> bytes:
    return json.dumps(members).encode()


def bent(document: dict[str, Any], **changes: Any) -> bytes:
    """Return the envelope with members of its first signature changed (None removes)."""
    copy = json.loads(json.dumps(document))
    for name, value in changes.items():
        if value is None:
            del copy["signatures"][0][name]
        else:
            copy["signatures"][0][name] = value
    return pack(copy)


def resigned(pki: DocumentPki, document: dict[str, Any], header: dict[str, Any] | str) -> bytes:
    """Return the envelope with the judge's signature made anew over another protected header."""
    text = header if isinstance(header, str) else json.dumps(header)
    protected = base64url.encode(text.encode())
    signing_input = f"{protected}.{document['payload']}".encode()
    key = pki.judge.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    value = ESAlgorithm("ES256", "P-256", 256).sign(signing_input, ECKey.import_key(key))
    return bent(document, protected=protected, signature=base64url.encode(value))


def header_of(document: dict[str, Any], index: int = 0) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(
        base64url.decode(document["signatures"][index]["protected"], field="")
    )
    return header


def test_two_right_signatures_open_to_the_exact_payload(pki: DocumentPki, document: dict[str, Any]) -> None:
    envelope = jws.open_envelope(pack(document))
    assert envelope.payload == documents.payload(documents.disclosure(pki))
    assert [chain[0] for chain in envelope.chains] == [
        one.certificate.public_bytes(Encoding.DER) for one in (pki.judge, pki.chief)
    ]


def test_white_space_and_order_of_the_envelope_do_not_matter(document: dict[str, Any]) -> None:
    swapped = {"signatures": document["signatures"][::-1], "payload": document["payload"]}
    opened = jws.open_envelope(json.dumps(swapped, indent=2).encode() + b"\n")
    assert opened.payload == jws.open_envelope(pack(document)).payload


@pytest.mark.parametrize("name", ["header", "protected2", "kid", "payload"])
def test_an_extra_member_beside_a_signature_is_refused(
    document: dict[str, Any], reasons: Reasons, name: str
) -> None:
    assert reasons(jws.open_envelope, bent(document, **{name: {}})) == ["ENVELOPE_MEMBERS"]


def test_an_unprotected_header_is_refused_by_its_path(document: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as caught:
        jws.open_envelope(bent(document, header={"alg": "ES256"}))
    assert caught.value.field == "signatures[0].header"


@pytest.mark.parametrize("name", ["protected", "signature"])
def test_a_missing_member_of_a_signature_is_refused(
    document: dict[str, Any], reasons: Reasons, name: str
) -> None:
    assert reasons(jws.open_envelope, bent(document, **{name: None})) == ["ENVELOPE_MEMBERS"]


def test_an_extra_or_missing_member_of_the_envelope_is_refused(
    document: dict[str, Any], reasons: Reasons
) -> None:
    assert reasons(jws.open_envelope, pack(document | {"protected": "e30"})) == ["ENVELOPE_MEMBERS"]
    assert reasons(jws.open_envelope, pack({"payload": document["payload"]})) == ["ENVELOPE_MEMBERS"]


@pytest.mark.parametrize("count", [0, 3])
def test_none_or_more_than_two_signatures_are_refused(
    document: dict[str, Any], reasons: Reasons, count: int
) -> None:
    signatures = (document["signatures"] * 2)[:count]
    assert reasons(jws.open_envelope, pack(document | {"signatures": signatures})) == ["ENVELOPE_SIGNATURES"]


@pytest.mark.parametrize("value", [{}, None, "two"])
def test_signatures_that_are_no_list_are_refused(
    document: dict[str, Any], reasons: Reasons, value: object
) -> None:
    assert reasons(jws.open_envelope, pack(document | {"signatures": value})) == ["ENVELOPE_SIGNATURES"]


def test_a_signature_that_is_no_object_is_refused(document: dict[str, Any], reasons: Reasons) -> None:
    listed = [document["signatures"][0], "second"]
    assert reasons(jws.open_envelope, pack(document | {"signatures": listed})) == ["ENVELOPE_MEMBERS"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crit", ["exp"]),
        ("b64", False),
        ("kid", "1"),
        ("jwk", {}),
        ("jku", "x"),
        ("x5u", "x"),
        ("cty", "json"),
    ],
)
def test_any_further_header_is_refused_though_it_is_signed(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons, name: str, value: object
) -> None:
    data = resigned(pki, document, header_of(document) | {name: value})
    assert reasons(jws.open_envelope, data) == ["HEADER_MEMBERS"]


@pytest.mark.parametrize("name", ["alg", "typ", "x5c"])
def test_a_missing_header_is_refused(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons, name: str
) -> None:
    header = header_of(document)
    del header[name]
    assert reasons(jws.open_envelope, resigned(pki, document, header)) == ["HEADER_MEMBERS"]


def test_a_header_repeated_in_the_protected_part_is_refused(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons
) -> None:
    text = json.dumps(header_of(document))[:-1] + ',"alg":"ES256"}'
    assert reasons(jws.open_envelope, resigned(pki, document, text)) == ["JSON_DUPLICATE_KEY"]


@pytest.mark.parametrize(
    "alg", ["none", "HS256", "RS256", "PS256", "ES384", "es256", "Ed25519", "", None, 1, []]
)
def test_every_other_algorithm_is_refused(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons, alg: object
) -> None:
    data = resigned(pki, document, header_of(document) | {"alg": alg})
    assert reasons(jws.open_envelope, data) == ["ALGORITHM_REFUSED"]


def test_the_type_must_be_ours(pki: DocumentPki, document: dict[str, Any], reasons: Reasons) -> None:
    data = resigned(pki, document, header_of(document) | {"typ": "JOSE+JSON"})
    assert reasons(jws.open_envelope, data) == ["TYPE_REFUSED"]


def test_an_algorithm_of_another_key_type_is_refused(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons
) -> None:
    data = resigned(pki, document, header_of(document) | {"alg": "EdDSA"})
    assert reasons(jws.open_envelope, data) == ["KEY_ALGORITHM_MISMATCH"]


def test_an_ed25519_key_does_not_sign_as_es256(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons
) -> None:
    assert isinstance(pki.chief.key, ed25519.Ed25519PrivateKey)
    copy = json.loads(json.dumps(document))
    protected = base64url.encode(json.dumps(header_of(document, 1) | {"alg": "ES256"}).encode())
    value = pki.chief.key.sign(f"{protected}.{document['payload']}".encode())
    copy["signatures"][1] = {"protected": protected, "signature": base64url.encode(value)}
    assert reasons(jws.open_envelope, pack(copy)) == ["KEY_ALGORITHM_MISMATCH"]


def test_es256_with_another_curve_is_refused(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons
) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    leaf = issue_person(pki.court_ca, "TEST", "TEST-9", AUTHORITY, pki.now, policies=[], key=key)
    header = header_of(document) | {
        "x5c": [base64url.encode_standard(leaf.certificate.public_bytes(Encoding.DER))]
    }
    protected = base64url.encode(json.dumps(header).encode())
    value = key.sign(f"{protected}.{document['payload']}".encode(), ec.ECDSA(hashes.SHA256()))
    data = bent(document, protected=protected, signature=base64url.encode(value))
    assert reasons(jws.open_envelope, data) == ["KEY_ALGORITHM_MISMATCH"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: "",
        lambda text: text + "!",
        lambda text: text + "é",
        lambda text: None,
        lambda text: 7,
    ],
)
@pytest.mark.parametrize("name", ["protected", "signature"])
def test_base64url_has_one_spelling(
    document: dict[str, Any], reasons: Reasons, name: str, change: Callable[[str], Any]
) -> None:
    copy = json.loads(json.dumps(document))
    copy["signatures"][0][name] = change(copy["signatures"][0][name])
    assert reasons(jws.open_envelope, pack(copy)) == ["BASE64_NOT_CANONICAL"]


def test_spare_bits_at_the_end_of_base64url_are_refused(document: dict[str, Any], reasons: Reasons) -> None:
    text = document["signatures"][0]["signature"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = text[:-1] + alphabet[alphabet.index(text[-1]) + 1]
    assert base64.urlsafe_b64decode(spare + "==") == base64.urlsafe_b64decode(text + "==")
    assert reasons(jws.open_envelope, bent(document, signature=spare)) == ["BASE64_NOT_CANONICAL"]


@pytest.mark.parametrize("text", ["QR==", "QQ", "QQ=", "QQ==\n", "", "Q-==", "é", None])
def test_base64_of_certificates_has_one_spelling_too(reasons: Reasons, text: object) -> None:
    assert base64url.decode_standard("QQ==", field="x") == b"A"
    assert reasons(base64url.decode_standard, text, field="x") == ["BASE64_NOT_CANONICAL"]


def test_a_padded_payload_is_refused(document: dict[str, Any], reasons: Reasons) -> None:
    assert reasons(jws.open_envelope, pack(document | {"payload": document["payload"] + "="})) == [
        "BASE64_NOT_CANONICAL"
    ]


@pytest.mark.parametrize("chain", [[], "MIIB", {}, None, ["AAAA"] * 5])
def test_a_chain_is_one_to_four_certificates(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons, chain: object
) -> None:
    data = resigned(pki, document, header_of(document) | {"x5c": chain})
    assert reasons(jws.open_envelope, data) == ["CHAIN_LENGTH"]


def test_what_is_no_certificate_is_refused(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons
) -> None:
    header = header_of(document)
    assert reasons(jws.open_envelope, resigned(pki, document, header | {"x5c": ["AAAA"]})) == [
        "CERTIFICATE_UNREADABLE"
    ]
    unpadded = header["x5c"][0].rstrip("=") + "\n"
    assert reasons(jws.open_envelope, resigned(pki, document, header | {"x5c": [unpadded]})) == [
        "BASE64_NOT_CANONICAL"
    ]
    assert reasons(jws.open_envelope, resigned(pki, document, header | {"x5c": [7]})) == [
        "BASE64_NOT_CANONICAL"
    ]


def with_spare_bits(make: Callable[[], tuple[bytes, bytes]]) -> bytes:
    """Return a certificate or list whose signature's last bit is zero and declared unused."""
    while True:
        der, signature = make()
        if signature[-1] % 2 == 0:
            return der[: -len(signature) - 1] + b"\x01" + signature


def test_a_certificate_has_one_spelling(pki: DocumentPki, document: dict[str, Any], reasons: Reasons) -> None:
    def make() -> tuple[bytes, bytes]:
        leaf = issue_person(pki.court_ca, "TEST", "TEST-9", "x", pki.now, policies=[], key=pki.judge.key)
        return leaf.certificate.public_bytes(Encoding.DER), leaf.certificate.signature

    twin = with_spare_bits(make)
    assert x509.load_der_x509_certificate(twin).public_key() == pki.judge.key.public_key()
    header = header_of(document) | {"x5c": [base64url.encode_standard(twin)]}
    assert reasons(jws.open_envelope, resigned(pki, document, header)) == ["CERTIFICATE_UNREADABLE"]


def test_a_revocation_list_has_one_spelling(pki: DocumentPki, reasons: Reasons) -> None:
    def make() -> tuple[bytes, bytes]:
        der = pki.court_ca.crl(pki.now)
        return der, x509.load_der_x509_crl(der).signature

    assert reasons(read_crl, with_spare_bits(make), pki.trust, documents.millis(pki)) == ["CRL_UNREADABLE"]


def test_a_signature_over_another_payload_is_refused_for_each_signer(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons
) -> None:
    other = base64url.encode(documents.payload(documents.disclosure(pki, mode="erased")))
    assert reasons(jws.open_envelope, pack(document | {"payload": other})) == ["SIGNATURE_WRONG"] * 2


def test_the_second_signature_counts_as_much_as_the_first(document: dict[str, Any], reasons: Reasons) -> None:
    copy = json.loads(json.dumps(document))
    copy["signatures"][1]["signature"] = base64url.encode(bytes(64))
    assert reasons(jws.open_envelope, pack(copy)) == ["SIGNATURE_WRONG"]


def test_a_signature_in_der_instead_of_two_numbers_is_refused(
    pki: DocumentPki, document: dict[str, Any], reasons: Reasons
) -> None:
    key = pki.judge.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    entry = document["signatures"][0]
    der = key.sign(f"{entry['protected']}.{document['payload']}".encode(), ec.ECDSA(hashes.SHA256()))
    assert reasons(jws.open_envelope, bent(document, signature=base64url.encode(der))) == ["SIGNATURE_WRONG"]


def test_a_malleated_ecdsa_signature_leaves_the_payload_the_same(document: dict[str, Any]) -> None:
    raw = base64url.decode(document["signatures"][0]["signature"], field="")
    twin = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    assert twin != raw
    opened = jws.open_envelope(bent(document, signature=base64url.encode(twin)))
    assert opened.payload == jws.open_envelope(pack(document)).payload


def test_a_malleated_eddsa_signature_is_refused(document: dict[str, Any], reasons: Reasons) -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    copy = json.loads(json.dumps(document))
    raw = base64url.decode(copy["signatures"][1]["signature"], field="")
    twin = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    copy["signatures"][1]["signature"] = base64url.encode(twin)
    assert reasons(jws.open_envelope, pack(copy)) == ["SIGNATURE_WRONG"]


def test_a_repeated_member_of_the_envelope_is_refused(document: dict[str, Any], reasons: Reasons) -> None:
    text = pack(document)[:-1] + b',"payload":"e30"}'
    assert reasons(jws.open_envelope, text) == ["JSON_DUPLICATE_KEY"]


def test_a_huge_envelope_is_refused_unread(reasons: Reasons) -> None:
    assert reasons(jws.open_envelope, b" " * (jws.MAX_ENVELOPE_BYTES + 1)) == ["JSON_SIZE"]


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_another_implementation_agrees_with_ours(pki: DocumentPki, document: dict[str, Any]) -> None:
    assert issubclass(SecurityWarning, Warning)
    for entry in document["signatures"]:
        header = json.loads(base64url.decode(entry["protected"], field=""))
        leaf = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
        key = leaf.public_key()
        registry = reference.JWSRegistry(algorithms=["ES256", "EdDSA"])
        registry.max_header_length = 65536
        imported: OKPKey | ECKey
        if isinstance(key, ed25519.Ed25519PublicKey):
            imported = OKPKey.import_key(key)
        else:
            assert isinstance(key, ec.EllipticCurvePublicKey)
            imported = ECKey.import_key(key)
        flat: reference.FlattenedJSONSerialization = {
            "payload": document["payload"],
            "protected": entry["protected"],
            "signature": entry["signature"],
        }
        checked = reference.deserialize_json(flat, imported, registry=registry)
        assert checked.payload == jws.open_envelope(pack(document)).payload
