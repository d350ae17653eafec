"""Where a PostgreSQL database is, and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

PORT = 5432
_FORM = "must be postgresql://ROLE@HOST:PORT/DATABASE"


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL says.

    Attributes:
        role: The role that connects.
        host: Name or address of the server, or the folder of its Unix socket (a path from the root).
        port: Its port, which names the socket too.
        database: The database.
    """

    role: str
    host: str
    port: int
    database: str

    @property
    def is_local(self) -> bool:
        """Whether it is reached over a Unix socket."""
        return self.host.startswith("/")


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a PostgreSQL server. Secrets are named by file and read at each connection.

    Attributes:
        address: Where it is.
        password_file: File with the role's password, mode 0600.
        trust: Certificates (PEM) that the server's must chain to; needed but on a Unix socket.
        certificate: The role's own certificate (PEM).
        key: Its private key (PEM), mode 0600.
    """

    address: Address
    password_file: Path | None = None
    trust: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def parse_url(url: str) -> Address:
    """Return what a URL says; a Unix socket's folder is percent-encoded: `postgresql://role@%2Frun%2Fpg/db`.

    Args:
        url: `postgresql://ROLE@HOST[:PORT]/DATABASE`.

    Raises:
        ValueError: It has another form, or a password in it; the message shows nothing of it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError:
        raise ValueError(_FORM) from None
    if parts.password is not None:
        raise ValueError("must hold no password: name a password_file")
    role, database = unquote(parts.username or ""), unquote(parts.path.removeprefix("/"))
    host = unquote(parts.netloc.rpartition("@")[2].removesuffix(f":{parts.port}")).strip("[]")
    if parts.scheme != "postgresql" or not (role and host and database) or "/" in database:
        raise ValueError(_FORM)
    if parts.query or parts.fragment:
        raise ValueError("must end with the database: TLS and passwords are settings of their own")
    return Address(role, host, port, database)
