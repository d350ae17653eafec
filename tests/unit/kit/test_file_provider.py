from __future__ import annotations

import os
from pathlib import Path

import pytest

from garim.kit.providers import KeyHandle
from garim.kit.providers.file import FileKeyProvider
from garim.kit.providers.opening import open_key_provider
from garim.kit.settings import KeyProviderSettings
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

MESH = "test.mesh"
KEY = bytes(range(32))


def opened(folder: Path, passphrase: bytes | None = None) -> FileKeyProvider:
    secret = None if passphrase is None else Secret(bytearray(passphrase))
    return FileKeyProvider(folder, MESH, secret, scrypt_log2_cost=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


def test_objects_outlive_the_process(folder: Path) -> None:
    first = opened(folder)
    handle = first.create_object("epoch", "e1")
    blob = first.wrap(handle, KEY, b"")
    assert bytes(opened(folder).unwrap(handle, blob, b"").buffer) == KEY


def test_nobody_else_can_read_objects_whatever_the_umask(folder: Path) -> None:
    former = os.umask(0)
    try:
        opened(folder).create_object("epoch", "e1")
    finally:
        os.umask(former)
    modes = {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert modes == {"provider": 0o600, "epoch": 0o700, "epoch/e1.key": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["", "epoch", "provider"])
def test_a_folder_or_file_that_others_can_read_is_refused_at_the_start(folder: Path, name: str) -> None:
    provider = opened(folder)
    provider.create_object("epoch", "e1")
    path = folder / name
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(RefusedError, match="KEY_FILE_MODE") as caught:
        opened(folder).create_object("epoch", "e2")
    assert caught.value.kind is Kind.PRECONDITION


def test_an_object_that_others_can_read_is_refused(folder: Path) -> None:
    provider = opened(folder)
    handle = provider.create_object("epoch", "e1")
    (folder / "epoch" / "e1.key").chmod(0o604)
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        provider.wrap(handle, KEY, b"")


def test_destruction_overwrites_the_blocks_before_the_name_goes(folder: Path, tmp_path: Path) -> None:
    provider = opened(folder)
    handle = provider.create_object("epoch", "e1")
    kept = tmp_path / "second-name"
    os.link(folder / "epoch" / "e1.key", kept)
    provider.destroy(handle)
    assert not any(kept.read_bytes())


def test_a_destruction_that_did_not_happen_is_no_success(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = opened(folder)
    handle = provider.create_object("epoch", "e1")
    monkeypatch.setattr("garim.kit.providers.file._overwrite", lambda _path: None)
    monkeypatch.setattr(Path, "unlink", lambda *_args, **_options: None)
    with pytest.raises(RefusedError, match="KEY_OBJECT_NOT_DESTROYED"):
        provider.destroy(handle)


def test_a_destruction_cut_short_is_completed_by_the_next(folder: Path) -> None:
    provider = opened(folder)
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, KEY, b"")
    path = folder / "epoch" / "e1.key"
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(RefusedError, match="KEY_OBJECT_MISSING"):
        provider.unwrap(handle, blob, b"")
    provider.destroy(handle)
    assert not provider.exists(handle)


def test_what_a_crash_left_half_made_is_removed_at_the_start(folder: Path) -> None:
    provider = opened(folder)
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, KEY, b"")
    os.link(folder / "epoch" / "e1.key", folder / "epoch" / "e1.new")
    (folder / "epoch" / "e2.new").write_bytes(b"half")
    again = opened(folder)
    assert sorted(path.name for path in (folder / "epoch").iterdir()) == ["e1.key"]
    assert bytes(again.unwrap(handle, blob, b"").buffer) == KEY


def test_a_damaged_object_is_refused(folder: Path) -> None:
    provider = opened(folder)
    handle = provider.create_object("epoch", "e1")
    (folder / "epoch" / "e1.key").write_bytes(b"GKO1\x00short")
    with pytest.raises(RefusedError, match="KEY_OBJECT_DAMAGED"):
        provider.wrap(handle, KEY, b"")


def test_a_link_in_the_place_of_an_object_is_not_followed(folder: Path) -> None:
    provider = opened(folder)
    provider.create_object("epoch", "e1")
    (folder / "epoch" / "e2.key").symlink_to(folder / "epoch" / "e1.key")
    with pytest.raises(OSError, match="symbolic links"):
        provider.wrap(KeyHandle("epoch", "e2"), KEY, b"")


def test_a_passphrase_is_needed_and_must_be_the_right_one(folder: Path) -> None:
    provider = opened(folder, b"right")
    handle = provider.create_object("epoch", "e1")
    blob = provider.wrap(handle, KEY, b"")
    for passphrase, reason in ((b"wrong", "KEY_PASSPHRASE_WRONG"), (None, "KEY_PASSPHRASE_MISSING")):
        with pytest.raises(RefusedError, match=reason):
            opened(folder, passphrase)
    assert bytes(opened(folder, b"right").unwrap(handle, blob, b"").buffer) == KEY


def test_a_passphrase_for_objects_without_one_is_refused(folder: Path) -> None:
    opened(folder)
    with pytest.raises(RefusedError, match="KEY_PASSPHRASE_UNUSED"):
        opened(folder, b"any")


def test_with_a_passphrase_no_file_holds_the_key_in_the_clear(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Secret, "random", classmethod(lambda _cls, size: Secret(bytearray(b"k" * size))))
    opened(folder, b"right").create_object("epoch", "e1")
    assert b"kkkk" not in (folder / "epoch" / "e1.key").read_bytes()


def test_settings_name_the_provider_and_its_passphrase_file(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_bytes(b"right\n")
    opened(folder, b"right").create_object("epoch", "e1")
    settings = KeyProviderSettings.model_validate(
        {"kind": "file", "folder": str(folder), "passphrase_file": str(path)}
    )
    assert open_key_provider(settings, MESH).list("epoch") == [KeyHandle("epoch", "e1")]
    path.write_bytes(b"\n")
    with pytest.raises(RefusedError, match="KEY_PASSPHRASE_EMPTY"):
        open_key_provider(settings, MESH)
    path.chmod(0o644)
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        open_key_provider(settings, MESH)
