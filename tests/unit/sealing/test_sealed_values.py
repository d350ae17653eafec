"""A sealed value opens only where it belongs: moved to another mesh, dossier or pseudonym it is refused."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.sealing import hpke, identity, quorum, released, roster, segment, write_secret
from garim.sealing.secret import Secret
from garim.sealing.write_secret import SealedWriteSecret, WriteSecretRecord
from garim.statements.labels import Purpose, bind
from garim.statements.refusal import Kind, RefusedError

MESH = "test.mesh"
DOSSIER = b"\x03" * 16
NAME = "P-7K4Q2-M9XAT"
STORE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {"store-1": STORE_KEY.public_key().public_bytes_raw()}
RECORD = WriteSecretRecord(MESH, "store-1", b"\x01" * 16, 1_000, 61_000, bytes(32))


@functools.cache
def pair() -> tuple[Secret, bytes]:
    return hpke.generate()


def secret(byte: int = 1) -> Secret:
    return Secret(bytearray([byte] * 32))


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as error:
        call()
    return error.value.reason


def test_an_identity_opens_only_under_its_mesh_dossier_pseudonym_and_secret() -> None:
    sealed = identity.seal_identity(secret(), MESH, DOSSIER, NAME, b'{"type":"PERSON"}', b"\x04" * 16)
    assert identity.open_identity(secret(), MESH, DOSSIER, NAME, sealed) == b'{"type":"PERSON"}'
    for where in [
        (secret(2), MESH, DOSSIER, NAME),
        (secret(), "other.mesh", DOSSIER, NAME),
        (secret(), MESH, b"\x05" * 16, NAME),
        (secret(), MESH, DOSSIER, "P-7K4Q2-M9XAV"),
    ]:
        assert refused(functools.partial(identity.open_identity, *where, sealed)) == "SEALING_OPEN"


def test_two_sealings_of_one_identity_share_nothing() -> None:
    first = identity.seal_identity(secret(), MESH, DOSSIER, NAME, b"{}", b"\x04" * 16)
    second = identity.seal_identity(secret(), MESH, DOSSIER, NAME, b"{}", b"\x05" * 16)
    assert first[16:] != second[16:]


@pytest.mark.parametrize("size", [0, 1, 500, 1020])
def test_the_length_of_a_sealed_identity_says_nothing(size: int) -> None:
    sealed = identity.seal_identity(secret(), MESH, DOSSIER, NAME, b"x" * size, b"\x04" * 16)
    assert len(sealed) == 16 + 1024 + 16
    assert identity.open_identity(secret(), MESH, DOSSIER, NAME, sealed) == b"x" * size


def test_a_long_identity_is_padded_to_the_next_step() -> None:
    sealed = identity.seal_identity(secret(), MESH, DOSSIER, NAME, b"x" * 1021, b"\x04" * 16)
    assert len(sealed) == 16 + 2048 + 16


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\x00\x00\x00",
        b"\x00\x00\x00\x02{}" + bytes(1017),
        b"\x00\x00\x00\x02{}" + bytes(1017) + b"\x01",
        b"\x00\x00\x00\x02{}" + bytes(1018 + 1024),
        b"\xff\xff\xff\xff{}" + bytes(1018),
    ],
)
def test_a_padding_that_hides_something_is_refused(padded: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(identity, "_pad", lambda _: padded)
        sealed = identity.seal_identity(secret(), MESH, DOSSIER, NAME, b"{}", b"\x04" * 16)
    opened = functools.partial(identity.open_identity, secret(), MESH, DOSSIER, NAME, sealed)
    assert refused(opened) == "SEALING_PADDING"


def test_a_sealing_secret_is_bound_to_dossier_and_grant() -> None:
    private, public = pair()
    sealed = identity.seal_secret(secret(), public, MESH, DOSSIER, b"\x09" * 32)
    assert identity.open_secret(sealed, private, MESH, DOSSIER, b"\x09" * 32) == secret()
    for where in [
        ("other.mesh", DOSSIER, b"\x09" * 32),
        (MESH, b"\x05" * 16, b"\x09" * 32),
        (MESH, DOSSIER, b"\x08" * 32),
    ]:
        assert refused(functools.partial(identity.open_secret, sealed, private, *where)) == "SEALING_OPEN"


def test_a_dossiers_private_key_is_bound_to_its_dossier() -> None:
    wrapped = quorum.wrap_private(secret(), secret(7), MESH, DOSSIER, b"\x04" * 16)
    assert quorum.unwrap_private(secret(), wrapped, MESH, DOSSIER) == secret(7)
    for where in [
        (secret(2), wrapped, MESH, DOSSIER),
        (secret(), wrapped, "other.mesh", DOSSIER),
        (secret(), wrapped, MESH, b"\x05" * 16),
        (secret(), wrapped[:20], MESH, DOSSIER),
    ]:
        assert refused(functools.partial(quorum.unwrap_private, *where)) == "SEALING_OPEN"


def made() -> SealedWriteSecret:
    opened, kept = write_secret.make(RECORD, pair()[1], STORE_KEY.sign)
    opened.wipe()
    return kept


def test_a_write_secret_opens_with_its_epochs_key() -> None:
    opened, kept = write_secret.make(RECORD, pair()[1], STORE_KEY.sign)
    assert write_secret.verify(kept, MESH, KEYS) == RECORD
    assert write_secret.open_secret(kept, pair()[0]) == opened
    assert refused(lambda: write_secret.open_secret(kept, hpke.generate()[0])) == "SEALING_OPEN"


@pytest.mark.parametrize(
    "change",
    [{"epoch": b"\x02" * 16}, {"not_after": 60_999}, {"previous": b"\x01" * 32}, {"store": "store-2"}],
)
def test_a_write_secret_under_another_record_is_refused(change: dict[str, object]) -> None:
    moved = dataclasses.replace(made(), record=dataclasses.replace(RECORD, **change).encode())  # type: ignore[arg-type] # fields by name
    keys = {**KEYS, "store-2": KEYS["store-1"]}
    with pytest.raises(RefusedError) as error:
        write_secret.verify(moved, MESH, keys)
    assert (error.value.reason, error.value.kind) == ("WRITE_SECRET_SIGNATURE", Kind.FORBIDDEN)
    assert refused(lambda: write_secret.open_secret(moved, pair()[0])) == "SEALING_OPEN"


def test_a_write_secret_of_another_mesh_or_store_is_refused() -> None:
    assert refused(lambda: write_secret.verify(made(), "other.mesh", KEYS)) == "WRITE_SECRET_MESH"
    assert refused(lambda: write_secret.verify(made(), MESH, {})) == "WRITE_SECRET_SIGNATURE"
    other = {"store-1": Ed25519PrivateKey.generate().public_key().public_bytes_raw()}
    assert refused(lambda: write_secret.verify(made(), MESH, other)) == "WRITE_SECRET_SIGNATURE"


def test_the_signature_of_a_write_secret_is_for_nothing_else() -> None:
    kept = made()
    bare = dataclasses.replace(kept, signature=STORE_KEY.sign(kept.record))
    assert refused(lambda: write_secret.verify(bare, MESH, KEYS)) == "WRITE_SECRET_SIGNATURE"


def test_a_sealed_secret_of_anothers_behind_a_signed_record_is_refused() -> None:
    kept = made()
    info = bind(Purpose.WRITE_SECRET, MESH, kept.record)
    planted = dataclasses.replace(kept, sealed=hpke.seal(bytes(32), pair()[1], info))
    assert write_secret.open_secret(planted, pair()[0]) == Secret(bytearray(32))
    assert refused(lambda: write_secret.verify(planted, MESH, KEYS)) == "WRITE_SECRET_SIGNATURE"


def test_the_bytes_that_a_store_signs_never_change() -> None:
    assert write_secret.signed_bytes("m", b"record", b"sealed") == (
        b"\x00\x00\x00\x1fgarim/v1/write-secret-signature"
        b"\x00\x00\x00\x01m"
        b"\x00\x00\x00\x06record"
        b"\x00\x00\x00\x20" + hashlib.sha256(b"sealed").digest()
    )


def test_a_write_secrets_id_covers_record_and_sealed_secret() -> None:
    kept = made()
    assert dataclasses.replace(kept, sealed=b"other").id != kept.id
    assert dataclasses.replace(kept, record=b"other").id != kept.id
    assert dataclasses.replace(kept, signature=b"other").id == kept.id


def test_a_block_opens_only_under_its_own_header() -> None:
    root = segment.segment_root(secret(), MESH)
    sealed = segment.BlockSealer(root, MESH).seal(b"header", b"block")
    key = segment.segment_key(root, MESH, b"header")
    assert segment.open_block(key, b"header", sealed) == b"block"
    assert refused(lambda: segment.open_block(key, b"headex", sealed)) == "SEALING_OPEN"
    other = segment.segment_key(root, MESH, b"headex")
    assert refused(lambda: segment.open_block(other, b"header", sealed)) == "SEALING_OPEN"
    elsewhere = segment.segment_key(root, "other.mesh", b"header")
    assert refused(lambda: segment.open_block(elsewhere, b"header", sealed)) == "SEALING_OPEN"


def test_a_roster_opens_only_behind_its_own_plain_part() -> None:
    root = roster.roster_root(secret(), MESH)
    plain = roster.RosterPlain(b"\x01" * 32, b"\x02" * 16, b"\x03" * 16, b"\x04" * 32, ())
    record = roster.seal_roster(root, MESH, plain, b"members")
    key = roster.roster_key(root, MESH, record.plain_bytes)
    assert roster.open_roster(key, record) == b"members"
    moved = dataclasses.replace(plain, conversation=b"\x05" * 32)
    forged = roster.RosterRecord(moved, moved.encode(), record.sealed)
    assert refused(lambda: roster.open_roster(key, forged)) == "SEALING_OPEN"
    other = roster.roster_key(root, MESH, moved.encode())
    assert refused(lambda: roster.open_roster(other, forged)) == "SEALING_OPEN"


def test_released_keys_open_in_order_for_one_attempt_dossier_and_request() -> None:
    private, public = pair()
    digest = released.request_digest([b"roster"], [b"header"])
    sealed = released.seal_keys([secret(1), secret(2)], public, MESH, DOSSIER, digest)
    opened = released.open_keys(sealed, private, MESH, DOSSIER, digest, 2)
    assert opened == [secret(1), secret(2)]
    for where in [("other.mesh", DOSSIER, digest), (MESH, b"\x05" * 16, digest), (MESH, DOSSIER, bytes(32))]:
        assert refused(functools.partial(released.open_keys, sealed, private, *where, 2)) == "SEALING_OPEN"
    for count in (0, 1, 3):
        call = functools.partial(released.open_keys, sealed, private, MESH, DOSSIER, digest, count)
        assert refused(call) == "KEY_COUNT"
