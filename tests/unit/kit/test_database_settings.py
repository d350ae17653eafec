"""Where a service's tables lie, as settings say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from garim.kit.db import Server
from garim.kit.db.place import Address, parse_url
from garim.kit.ownership import migrated
from garim.kit.settings import DatabaseSettings, Settings, load_settings
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

URL = "postgresql://custody@db.example:5433/custody"


class Some(Settings):
    database: DatabaseSettings


def load(folder: Path, *lines: str) -> Path | Server:
    path = folder / "settings.toml"
    path.write_text("\n".join(["[database]", *lines, ""]))
    return load_settings(path, Some).database.place


def test_a_file_or_a_server(tmp_path: Path) -> None:
    assert load(tmp_path, 'path = "state.db"') == tmp_path / "state.db"
    found = load(tmp_path, f'url = "{URL}"', 'trust = "ca.pem"', 'password_file = "secret"')
    address = Address("custody", "db.example", 5433, "custody")
    assert found == Server(address, tmp_path / "secret", tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://custody@db.example/custody", "db.example", 5432),
        ("postgresql://custody@%2Frun%2Fpostgresql/custody", "/run/postgresql", 5432),
        ("postgresql://custody@%2Frun%2Fpostgresql:5433/custody", "/run/postgresql", 5433),
        ("postgresql://custody@[2001:db8::1]:5433/custody", "2001:db8::1", 5433),
    ],
)
def test_a_url_names_role_host_port_and_database(url: str, host: str, port: int) -> None:
    assert parse_url(url) == Address("custody", host, port, "custody")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "custody",
        "postgres://custody@db.example/custody",
        "postgresql+psycopg://custody@db.example/custody",
        "postgresql://db.example/custody",
        "postgresql://custody@db.example",
        "postgresql://custody@db.example/",
        "postgresql://custody@/custody",
        "postgresql://custody@db.example/a/b",
        "postgresql://custody@db.example:x/custody",
        "postgresql://custody@db.example:70000/custody",
        "postgresql://custody@db.example/custody?sslmode=disable",
        "postgresql://custody@db.example/custody?host=/tmp",
        "postgresql://custody@db.example/custody#x",
        "postgresql://custody:hidden@db.example/custody",
        "postgresql://custody:@db.example/custody",
        "postgresql://custody@[::1/custody",
    ],
)
def test_any_other_url_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(RefusedWithReasonsError) as caught:
        load(tmp_path, f'url = "{url}"', 'trust = "ca.pem"')
    assert [one.field for one in caught.value.reasons] == ["database.url"]
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ['path = "state.db"', f'url = "{URL}"', 'trust = "ca.pem"'],
        ['path = "state.db"', 'trust = "ca.pem"'],
        ['path = "state.db"', 'password_file = "secret"'],
        [f'url = "{URL}"'],
        [f'url = "{URL}"', 'password_file = "secret"'],
        [f'url = "{URL}"', 'trust = "ca.pem"', 'certificate = "tls.pem"'],
        [f'url = "{URL}"', 'trust = "ca.pem"', 'key = "tls.key"'],
    ],
)
def test_one_place_and_never_a_network_without_trust(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(RefusedWithReasonsError) as caught:
        load(tmp_path, *lines)
    assert [one.field for one in caught.value.reasons] == ["database"]


def test_a_service_migrates_only_what_its_owner_names(tmp_path: Path) -> None:
    settings = tmp_path / "owner.toml"
    settings.write_text('runtime_role = "custody"\n[database]\npath = "state.db"\n')
    assert not migrated(["custody", "settings.toml"], tmp_path, {})
    for line in (["custody", "--migrate"], ["custody", "x", "--migrate"]):
        with pytest.raises(RefusedError, match="SETTINGS_ARGUMENT"):
            migrated(line, tmp_path, {})
    with pytest.raises(RefusedError, match="SETTING_INVALID"):
        migrated(["custody", "--migrate", str(settings)], tmp_path, {})
    assert not (tmp_path / "state.db").exists()
