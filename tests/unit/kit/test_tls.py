from __future__ import annotations

import datetime as dt
import io
import os
import time
from pathlib import Path

import pytest

from garim.kit.clock import SystemClock
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, TlsFiles, load
from garim.statements.refusal import RefusedError
from kit_support.authority import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


def reason(files: TlsFiles, mesh: str = "test.mesh") -> str:
    with pytest.raises(RefusedError) as caught:
        load(files, mesh, time.time_ns() // 1_000_000)
    return caught.value.reason


def test_the_key_never_shows(authority: Authority) -> None:
    files = authority.service("custody")
    material = load(files, authority.mesh, time.time_ns() // 1_000_000)
    assert material.identity.path == "service/custody"
    assert "PRIVATE" not in repr(material)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601])
def test_a_private_key_that_others_can_read_is_refused(authority: Authority, mode: int) -> None:
    files = authority.service("custody")
    files.key.chmod(mode)
    assert reason(files) == "KEY_FILE_MODE"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_private_key_of_another_user_is_refused(authority: Authority) -> None:
    files = authority.service("custody")
    os.chown(files.key, 65534, -1)
    assert reason(files) == "KEY_FILE_MODE"


def test_a_rotation_cannot_change_the_identity(authority: Authority) -> None:
    files, audit = authority.service("custody"), authority.service("audit")
    log = io.StringIO()
    clock = SystemClock()
    rotation = Rotation(files, authority.mesh, clock, Telemetry("custody", clock, stream=log, strict=True))
    first = rotation.current()
    files.key.write_bytes(audit.key.read_bytes())
    files.certificate.write_bytes(audit.certificate.read_bytes())
    assert rotation.current() is first
    assert "CERTIFICATE_IDENTITY" in log.getvalue()
    authority.service("custody")
    assert rotation.current().identity == first.identity
    assert rotation.current() is not first


@pytest.mark.parametrize("name", ["key", "certificate", "trust"])
def test_each_missing_file_is_named(authority: Authority, name: str) -> None:
    files = authority.service("custody")
    getattr(files, name).unlink()
    with pytest.raises(RefusedError, match=r"FILE_MISSING.*does not exist") as caught:
        load(files, authority.mesh, 0)
    assert str(getattr(files, name)) in caught.value.message


def test_a_folder_in_the_place_of_a_file_is_refused(authority: Authority) -> None:
    files = authority.service("custody")
    files.trust.unlink()
    files.trust.mkdir()
    assert reason(files) == "FILE_UNREADABLE"


def test_an_empty_or_unreadable_trust_store_is_refused(authority: Authority) -> None:
    files = authority.service("custody")
    for content in (
        b"",
        b"no certificates",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ):
        files.trust.write_bytes(content)
        assert reason(files) == "TRUST_STORE_EMPTY"


def test_certificates_that_do_not_fit_are_refused(authority: Authority, tmp_path: Path) -> None:
    custody, audit = authority.service("custody"), authority.service("audit")
    assert reason(TlsFiles(custody.certificate, audit.key, custody.trust)) == "CERTIFICATE_KEY_MISMATCH"
    assert reason(authority.issue("service/old", until=-dt.timedelta(hours=1))) == "CERTIFICATE_EXPIRED"
    assert reason(custody, "other.mesh") == "IDENTITY_OTHER_MESH"
    assert reason(authority.issue("")) == "CERTIFICATE_IDENTITY"
    assert reason(authority.issue("", dns=["localhost"])) == "CERTIFICATE_IDENTITY"
    two = authority.issue("service/custody", more_uris=["spiffe://test.mesh/service/audit"])
    assert reason(two) == "CERTIFICATE_IDENTITY"
    posing = authority.issue("service/custody", dns=["audit.test.mesh.garim.internal"])
    assert reason(posing) == "IDENTITY_NAMES_DISAGREE"
    posing.certificate.write_bytes(b"garbage")
    assert reason(posing) == "CERTIFICATE_INVALID"
    assert reason(authority.issue("robot/custody")) == "IDENTITY_INVALID"
