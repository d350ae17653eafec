"""A secret's file is its owner's alone, or root's and readable to the group as Kubernetes mounts it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from garim.kit.files import read_secret_file
from garim.statements.refusal import RefusedError

CONTAINER_USER = 65532

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of root's")


def mounted(folder: Path, mode: int) -> Path:
    path = folder / "tls.key"
    path.write_bytes(b"key")
    os.chown(path, 0, CONTAINER_USER)
    path.chmod(mode)
    return path


@as_root
@pytest.mark.parametrize("mode", [0o440, 0o640, 0o400])
def test_a_key_that_root_mounts_for_the_group_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    path = mounted(tmp_path, mode)
    monkeypatch.setattr(os, "geteuid", lambda: CONTAINER_USER)
    assert read_secret_file(path, "private key") == b"key"


@as_root
@pytest.mark.parametrize("mode", [0o444, 0o460, 0o450, 0o644])
def test_a_mounted_key_that_others_may_read_or_the_group_may_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    path = mounted(tmp_path, mode)
    monkeypatch.setattr(os, "geteuid", lambda: CONTAINER_USER)
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        read_secret_file(path, "private key")


@as_root
def test_roots_own_keys_are_for_no_group(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        read_secret_file(mounted(tmp_path, 0o440), "private key")


@as_root
def test_a_key_of_another_user_is_refused_whatever_the_group_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = mounted(tmp_path, 0o440)
    os.chown(path, 65534, CONTAINER_USER)
    monkeypatch.setattr(os, "geteuid", lambda: CONTAINER_USER)
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        read_secret_file(path, "private key")
