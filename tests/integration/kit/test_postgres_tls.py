"""A database over the network: TLS to the server that is meant, a password that nobody else learns."""

from __future__ import annotations

import contextlib
import dataclasses
import select
import socket
import ssl
import threading
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


def relayed(client: ssl.SSLSocket, own: Postgres) -> None:
    """Pass everything on between a TLS client and the server's Unix socket, until either ends."""
    with client, socket.socket(socket.AF_UNIX) as server:
        server.connect(f"{own.folder}/.s.PGSQL.{own.port}")
        ends: dict[socket.socket, socket.socket] = {client: server, server: client}
        while True:
            ready = [client] if client.pending() else select.select(list(ends), [], [], 5)[0]
            if not ready:
                return
            for one in ready:
                data = one.recv(65_536)
                if not data:
                    return
                ends[one].sendall(data)


def test_whoever_only_relays_is_not_talked_to(own: Postgres, guarded: Server, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    files = authority.issue("service/relay", dns=["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    hba = own.data / "pg_hba.conf"
    kept = hba.read_text()
    hba.write_text(f"local all {RUNTIME} scram-sha-256\n{kept}")
    own.reload()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            plain, _ = listening.accept()
            plain.recv(8)  # SSLRequest
            plain.sendall(b"S")
            with contextlib.suppress(OSError):
                relayed(context.wrap_socket(plain, server_side=True), own)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            address = dataclasses.replace(guarded.address, port=listening.getsockname()[1])
            unreachable(dataclasses.replace(guarded, address=address, trust=authority.trust))
        finally:
            thread.join()
            hba.write_text(kept)
            own.reload()


def test_a_unix_socket_takes_a_password_by_its_proof_only(own: Postgres, guarded: Server) -> None:
    near = dataclasses.replace(
        guarded, trust=None, address=dataclasses.replace(guarded.address, host=str(own.folder))
    )
    hba = own.data / "pg_hba.conf"
    kept = hba.read_text()
    try:
        for method in ("password", "scram-sha-256"):
            hba.write_text(f"local all {RUNTIME} {method}\n{kept}")
            own.reload()
            if method == "password":
                unreachable(near)
        Database(near).close()
    finally:
        hba.write_text(kept)
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
