"""A throwaway mesh on PostgreSQL: for each service a database, an owner that migrates, a role that runs."""

from __future__ import annotations

import contextlib
import importlib
import json
import secrets
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from garim.cli.files import write_private
from garim.cli.mesh_plan import Places
from garim.cli.meshfolder import SERVICES
from garim.kit.db import Server
from garim.kit.db.database import BUSY_TIMEOUT_MS
from garim.kit.db.place import Address
from garim.kit.db.postgres import parameters_of
from garim.kit.ownership import migrate
from garim.statements.refusal import Kind, RefusedError


def make_databases(admin: Server, places: Places) -> None:
    """Make and migrate a database for each service, and keep how it is reached in the service's folder.

    Args:
        admin: The server, as a role that may make roles and databases reaches it.
        places: The mesh's folders.

    Raises:
        RefusedError: `DATABASE_UNREACHABLE`, or as `migrate`.
    """
    # Several meshes can lie on one server.
    tag = secrets.token_hex(4)
    for service in SERVICES:
        name = f"garim_{tag}_{service}"
        owner, runtime = (_member(admin, places, service, one, name) for one in (f"{name}_owner", name))
        _make(admin, owner, runtime)
        folder = Path(str(resources.files(f"garim.{service}"))) / "migrations"
        rights = importlib.import_module(f"garim.{service}.rights").RIGHTS
        migrate(owner, runtime.address.role, folder, rights)
        write_private(places.database(service), json.dumps(_group(runtime)).encode())


def _member(admin: Server, places: Places, service: str, role: str, database: str) -> Server:
    """Return how a new role reaches its database; over the network with a password of its own."""
    address = Address(role, admin.address.host, admin.address.port, database)
    if admin.address.is_local:
        return Server(address)
    password = places.service(service) / f"{role}.password"
    write_private(password, secrets.token_hex(24).encode())
    return Server(address, password.absolute(), None if admin.trust is None else admin.trust.absolute())


def _make(admin: Server, owner: Server, runtime: Server) -> None:
    try:
        with contextlib.closing(
            psycopg.connect(**parameters_of(admin, BUSY_TIMEOUT_MS), autocommit=True)
        ) as connection:
            for one in (owner, runtime):
                role = sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(one.address.role))
                if one.password_file is not None:
                    role += sql.SQL(" PASSWORD {}").format(sql.Literal(one.password_file.read_text()))
                connection.execute(role)
            names = (sql.Identifier(one) for one in (owner.address.database, owner.address.role))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    except psycopg.Error as error:
        raise RefusedError(
            "DATABASE_UNREACHABLE",
            f"the server does not let {admin.address.role} make roles and databases ({type(error).__name__})",
            kind=Kind.UNAVAILABLE,
            field="database",
        ) from None


def _group(server: Server) -> dict[str, Any]:
    address = server.address
    host = quote(address.host, safe=":[]")
    group = {"url": f"postgresql://{address.role}@{host}:{address.port}/{address.database}"}
    if server.password_file is not None:
        group["password_file"] = str(server.password_file)
    if server.trust is not None:
        group["trust"] = str(server.trust)
    return group
