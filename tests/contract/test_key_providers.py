"""What every key provider keeps; a new one joins by a line in `PROVIDERS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from garim.kit.providers import KeyHandle, KeyProvider
from garim.kit.providers.file import FileKeyProvider
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError
from garim.testing.keys import MemoryKeyProvider

MESH = "test.mesh"
KEY = bytes(range(32))

PROVIDERS: dict[str, Callable[[Path, str], KeyProvider]] = {
    "memory": lambda _folder, mesh: MemoryKeyProvider(mesh),
    "file": FileKeyProvider,
    "file with passphrase": lambda folder, mesh: FileKeyProvider(
        folder, mesh, Secret(bytearray(b"a passphrase")), scrypt_log2_cost=10
    ),
}


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> KeyProvider:
    return PROVIDERS[request.param](tmp_path / "objects", MESH)


def refusal(action: Callable[[], object]) -> tuple[str, Kind]:
    with pytest.raises(RefusedError) as caught:
        action()
    return caught.value.reason, caught.value.kind


def test_an_object_opens_what_it_wrapped(provider: KeyProvider) -> None:
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, KEY, b"binding")
    with provider.unwrap(handle, blob, b"binding") as opened:
        assert bytes(opened.buffer) == KEY
    assert KEY not in blob


@pytest.mark.parametrize("size", [0, 1, 4096])
def test_every_size_comes_back(provider: KeyProvider, size: int) -> None:
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, b"x" * size, b"")
    opened = provider.unwrap(handle, blob, b"")
    assert len(opened) == size


def test_wrapping_the_same_twice_shares_no_bytes(provider: KeyProvider) -> None:
    handle = provider.create_object("epoch", "e1")
    one, two = (provider.wrap(handle, KEY, b"")[4:] for _ in range(2))
    assert all(one[i : i + 8] != two[i : i + 8] for i in range(0, len(one), 8))


def test_what_is_wrapped_opens_nowhere_else(provider: KeyProvider) -> None:
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, KEY, b"binding")
    for other in (provider.create_object("epoch", "e2"), provider.create_object("dossier", "e1")):
        assert refusal(lambda other=other: provider.unwrap(other, blob, b"binding")) == (
            "KEY_UNWRAP",
            Kind.DATA_LOSS,
        )
    assert refusal(lambda: provider.unwrap(handle, blob, b"other"))[0] == "KEY_UNWRAP"


def test_no_changed_byte_passes(provider: KeyProvider) -> None:
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, KEY, b"")
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        assert (
            refusal(lambda changed=changed: provider.unwrap(handle, bytes(changed), b""))[0] == "KEY_UNWRAP"
        )
    for short in (b"", blob[:-1], blob[:20], blob + b"\0"):
        assert refusal(lambda short=short: provider.unwrap(handle, short, b""))[0] == "KEY_UNWRAP"


def test_a_destroyed_object_opens_nothing_ever_again(provider: KeyProvider) -> None:
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, KEY, b"")
    provider.destroy(handle)
    assert not provider.exists(handle)
    assert refusal(lambda: provider.unwrap(handle, blob, b"")) == ("KEY_OBJECT_MISSING", Kind.NOT_FOUND)
    assert refusal(lambda: provider.wrap(handle, KEY, b""))[0] == "KEY_OBJECT_MISSING"
    provider.create_object("epoch", "e1")
    assert refusal(lambda: provider.unwrap(handle, blob, b""))[0] == "KEY_UNWRAP"


def test_destroying_twice_or_what_never_was_is_no_error(provider: KeyProvider) -> None:
    handle = provider.create_object("epoch", "e1")
    for _ in range(2):
        provider.destroy(handle)
    provider.destroy(KeyHandle("never", "made"))


def test_destroying_one_object_leaves_the_others(provider: KeyProvider) -> None:
    first, second = (provider.create_object("epoch", f"e{number}") for number in (1, 2))
    blob = provider.wrap(second, KEY, b"")
    provider.destroy(first)
    assert bytes(provider.unwrap(second, blob, b"").buffer) == KEY


def test_an_object_is_made_once(provider: KeyProvider) -> None:
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, KEY, b"")
    assert refusal(lambda: provider.create_object("epoch", "e1")) == ("KEY_OBJECT_EXISTS", Kind.EXISTS)
    assert bytes(provider.unwrap(handle, blob, b"").buffer) == KEY


def test_objects_are_listed_by_kind(provider: KeyProvider) -> None:
    made = [provider.create_object("epoch", name) for name in ("e2", "e1")]
    provider.create_object("dossier", "d1")
    assert provider.list("epoch") == sorted(made)
    assert provider.list("request") == []
    provider.destroy(made[0])
    assert provider.list("epoch") == [made[1]]
    assert provider.exists(made[1])


@pytest.mark.parametrize(
    ("kind", "object_id"), [("../x", "a"), ("epoch", "../a"), ("", "a"), ("e", ""), ("E", "a")]
)
def test_a_name_cannot_lead_elsewhere(provider: KeyProvider, kind: str, object_id: str) -> None:
    assert refusal(lambda: provider.create_object(kind, object_id))[0] == "KEY_OBJECT_NAME"


def test_nothing_is_left_to_chance_about_how_long_a_key_outlives_its_destruction(
    provider: KeyProvider,
) -> None:
    assert provider.destruction_delay_ms == 0


def test_two_meshes_share_nothing(provider: KeyProvider, tmp_path: Path) -> None:
    other = FileKeyProvider(tmp_path / "other", "other.mesh")
    blob = provider.wrap(provider.create_object("epoch", "e1"), KEY, b"")
    handle = other.create_object("epoch", "e1")
    assert refusal(lambda: other.unwrap(handle, blob, b""))[0] == "KEY_UNWRAP"
