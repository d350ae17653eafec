"""A database over the network: TLS to the server that is meant, a password that nobody else learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.cli.mesh_plan import free_ports
from garim.kit.db import Database, Server
from garim.kit.db.place import Address
from garim.statements.refusal import RefusedError
from kit_support.authority import Authority
from kit_support.postgres import RUNTIME, Postgres, own_server

PASSWORD = "invented"  # noqa: S105 - of a server that lives for these tests


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    """The machine's own PostgreSQL: the one in the wheel is built without TLS."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no PostgreSQL with TLS is installed here")
    with own_server(programs[-1]) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(own: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server over the network: TLS with a certificate for `localhost`, SCRAM passwords, nothing else."""
    authority = Authority(tmp_path_factory.mktemp("pki"))
    files = authority.issue("service/database", dns=["localhost"])
    port = free_ports(1)[0]
    own.stop()
    own.configure(
        listen_addresses="127.0.0.1",
        port=str(port),
        ssl="on",
        ssl_cert_file=own.take(files.certificate),
        ssl_key_file=own.take(files.key),
    )
    let_in(own, "scram-sha-256")
    own.port = port
    own.start()
    place = own.service("redaction")
    with own.admin() as admin:
        admin.execute(f"ALTER ROLE {RUNTIME} PASSWORD '{PASSWORD}'")
    address = Address(RUNTIME, "localhost", port, place.address.database)
    return Server(address, secret(tmp_path_factory.mktemp("secret"), PASSWORD), authority.trust)


def let_in(own: Postgres, method: str) -> None:
    (own.data / "pg_hba.conf").write_text(
        f"local all all trust\nhostssl all all 127.0.0.1/32 {method}\nhostssl all all ::1/128 {method}\n"
    )


def secret(folder: Path, text: str) -> Path:
    path = folder / "password"
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return path


def unreachable(place: Server) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        Database(place)
    assert caught.value.reason == "DATABASE_UNREACHABLE"
    return caught.value


def test_over_the_network_it_takes_tls_and_a_password(guarded: Server) -> None:
    database = Database(guarded)
    with database.reading() as connection:
        version = connection.exec_driver_sql("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert version.scalar_one() == "TLSv1.3"
    database.close()


def test_another_password_or_none_is_not_let_in_and_not_shown(guarded: Server, tmp_path: Path) -> None:
    for file in (secret(tmp_path, "another-password"), None):
        refusal = unreachable(dataclasses.replace(guarded, password_file=file))
        assert "another-password" not in f"{refusal} {refusal.__cause__}"


def test_a_password_that_others_can_read_is_refused(guarded: Server, tmp_path: Path) -> None:
    file = secret(tmp_path, PASSWORD)
    file.chmod(0o644)
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        Database(dataclasses.replace(guarded, password_file=file))


def test_a_server_of_another_authority_or_name_is_not_talked_to(guarded: Server, tmp_path: Path) -> None:
    unreachable(dataclasses.replace(guarded, trust=Authority(tmp_path / "other").trust))
    unreachable(dataclasses.replace(guarded, address=dataclasses.replace(guarded.address, host="127.0.0.1")))


@pytest.mark.parametrize("method", ["password", "trust"])
def test_a_server_that_does_not_prove_that_it_knows_the_password_is_not_talked_to(
    own: Postgres, guarded: Server, method: str
) -> None:
    let_in(own, method)
    own.reload()
    try:
        unreachable(guarded)
    finally:
        let_in(own, "scram-sha-256")
        own.reload()


def test_a_server_without_tls_is_not_talked_to(own: Postgres, guarded: Server) -> None:
    with own.admin() as admin:
        admin.execute("ALTER SYSTEM SET ssl = off")
    own.reload()
    try:
        unreachable(guarded)
    finally:
        with own.admin() as admin:
            admin.execute("ALTER SYSTEM RESET ssl")
        own.reload()
