"""What a throwaway mesh consists of, and where its files lie; every key in it is marked TEST."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path

from garim.cli.meshfolder import SERVICES

MESH_NAME = "demo.example"
AUDIENCE = "TEST 가림메신저"
STORE = "store-1"
CUSTODIANS = ("da-som", "ga-on", "na-rae")
QUORUM = 2
REVIEWERS = ("bo-ra", "ma-ru", "seul-gi")
REVIEW_QUORUM = 2
OTHERS = (("clerk", "eun-ha"), ("auditor", "so-dam"), ("operator", "han-byeol"))
BACKEND = "chat"
EPOCH_MS = 24 * 3_600_000
RETENTION_MS = 3 * EPOCH_MS
MAX_CRL_AGE_MS = 30 * EPOCH_MS


@dataclass(frozen=True, slots=True)
class Places:
    """Where a throwaway mesh keeps what.

    Attributes:
        root: The mesh's folder.
    """

    root: Path

    @property
    def people(self) -> Path:
        """People's folders."""
        return self.root / "people"

    @property
    def governance(self) -> Path:
        """Version 1, its decisions, its digest."""
        return self.root / "governance"

    @property
    def policy(self) -> Path:
        """The operator's policy file."""
        return self.root / "policy" / "kr.yaml"

    @property
    def crls(self) -> Path:
        """Revocation lists of the document authorities."""
        return self.root / "crls"

    @property
    def agency(self) -> Path:
        """The TEST court's and agency's certificates and keys, and the investigator's age identity."""
        return self.root / "agency"

    @property
    def run(self) -> Path:
        """Process ids and output of the services."""
        return self.root / "run"

    def service(self, name: str) -> Path:
        """Return a service's folder: its settings, identity, keys, database."""
        return self.root / "services" / name

    def database(self, name: str) -> Path:
        """Return the file that says where a service's tables lie on PostgreSQL; absent for SQLite."""
        return self.service(name) / "database.json"

    def settings(self, name: str) -> Path:
        """Return a service's settings file."""
        return self.service(name) / "settings.toml"


def free_ports(count: int) -> list[int]:
    """Return so many different ports of 127.0.0.1 that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]


def is_free(address: str) -> bool:
    """Tell whether nobody listens on an address of this machine."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True


def new_addresses() -> tuple[dict[str, str], dict[str, str]]:
    """Return free addresses for the services and for their health ports."""
    ports = [f"127.0.0.1:{port}" for port in free_ports(2 * len(SERVICES))]
    return dict(zip(SERVICES, ports, strict=False)), dict(zip(SERVICES, ports[len(SERVICES) :], strict=True))
