from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from garim.kit.settings import DatabaseSettings, ServiceSettings, load_settings
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError

GOOD = f"""
mesh = "test.mesh"
governance_genesis = "{"ab" * 32}"
listen = "127.0.0.1:7001"
health_listen = "127.0.0.1:7002"

[tls]
certificate = "tls/service.pem"
key = "tls/service.key"
trust = "/etc/garim/trust.pem"

[peers]
audit = "127.0.0.1:7003"

[database]
path = "state.db"
"""


class Settings(ServiceSettings):
    database: DatabaseSettings
    spare: DatabaseSettings | None = None


def load(folder: Path, text: str) -> Settings:
    path = folder / "custody.toml"
    path.write_text(text)
    return load_settings(path, Settings)


def faults(folder: Path, text: str) -> list[RefusedError]:
    with pytest.raises(RefusedWithReasonsError) as caught:
        load(folder, text)
    return list(caught.value.reasons)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    assert settings.tls.files().certificate == tmp_path / "tls" / "service.pem"
    assert settings.tls.trust == Path("/etc/garim/trust.pem")
    assert settings.database.path == tmp_path / "state.db"
    assert settings.peers == {"audit": "127.0.0.1:7003"}


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    with pytest.raises(pydantic.ValidationError):
        settings.mesh = "other"  # type: ignore[misc]


def test_an_unknown_key_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "lisen = 'x'\n" + GOOD)
    assert (fault.reason, fault.field, fault.kind) == ("SETTING_UNKNOWN", "lisen", Kind.PRECONDITION)
    assert "did you mean listen?" in fault.message
    (fault,) = faults(tmp_path, GOOD + "[spare]\npath = 'spare.db'\npaths = 1\n")
    assert (fault.field, fault.message.partition("; ")[2]) == ("spare.paths", "did you mean path?")
    (fault,) = faults(tmp_path, GOOD.replace("[peers]", "pass = 'x'\n[peers]"))
    assert fault.field == "tls.pass"
    assert "known here: certificate, key, trust" in fault.message


def test_every_fault_is_told_at_once_and_none_shows_the_value(tmp_path: Path) -> None:
    text = (
        GOOD.replace('mesh = "test.mesh"', 'mesh = "Secret Mesh"')
        .replace(f'governance_genesis = "{"ab" * 32}"', "")
        .replace('"127.0.0.1:7002"', '"hidden-value"')
        .replace('path = "state.db"', "path = 17171717")
    )
    found = faults(tmp_path, text)
    assert {(fault.reason, fault.field) for fault in found} == {
        ("SETTING_INVALID", "mesh"),
        ("SETTING_MISSING", "governance_genesis"),
        ("SETTING_INVALID", "health_listen"),
        ("SETTING_INVALID", "database.path"),
    }
    told = " ".join(fault.message for fault in found)
    assert "Secret" not in told
    assert "hidden" not in told
    assert "17171717" not in told
    assert "must be host:port" in told


@pytest.mark.parametrize("address", ["", "host", ":7", "host:", "host:x", "host:70000", "host:٣"])
def test_an_address_is_host_and_port(tmp_path: Path, address: str) -> None:
    (fault,) = faults(tmp_path, GOOD.replace("127.0.0.1:7001", address))
    assert fault.field == "listen"


def test_a_number_in_quotes_is_no_number(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "workers = '8'\n" + GOOD)
    assert fault.field == "workers"


def test_the_environment_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MESH", "mesh", "GARIM_MESH", "WORKERS"):
        monkeypatch.setenv(name, "9")
    settings = load(tmp_path, GOOD)
    assert (settings.mesh, settings.workers) == ("test.mesh", 16)


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"SETTINGS_SYNTAX.*line 2"):
        load(tmp_path, "a = 1\nb = = 2\n")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="FILE_MISSING"):
        load_settings(tmp_path / "absent.toml", Settings)
