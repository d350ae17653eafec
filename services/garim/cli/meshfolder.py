"""The folder of a mesh as people's clients see it: addresses, the genesis digest, one folder a person.

``mesh.json`` names the mesh, the genesis digest and the services' addresses; ``people/<role>-<name>/`` holds
`tls.pem`, `tls.key`, `ca.pem`, and for custodians and reviewers `decision.key`, for custodians `share.key`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from garim.cli.files import read_input, write_private
from garim.kit.identity import SCHEME
from garim.kit.tls import TlsFiles
from garim.statements.model import Closed, Digest, Name
from garim.statements.refusal import Kind, RefusedError

SERVICES = ("audit", "custody", "messages", "warrants", "redaction")
ROLES = ("custodian", "reviewer", "auditor", "clerk", "operator", "backend")
MESH_FILE = "mesh.json"
_ADDRESS = r"^[A-Za-z0-9.\-\[\]:]+:[0-9]{1,5}\Z"
Address = Annotated[str, Field(pattern=_ADDRESS)]


class MeshFile(Closed):
    """What `mesh.json` holds.

    Args:
        mesh: Name of the mesh.
        genesis: SHA-256 of governance version 1.
        audience: The operator's name as documents address it.
        store: Name of the message store.
        addresses: `host:port` with mutual TLS, by service.
        health: `host:port` of the plaintext health ports, by service.
    """

    format: Literal["garim-mesh/1"]
    mesh: Name
    genesis: Digest
    audience: str
    store: Name
    addresses: dict[str, Address]
    health: dict[str, Address]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts, with the folder of their keys.

    Attributes:
        mesh: Name of the mesh.
        role: One of `ROLES`.
        name: Name within the role.
        folder: Where their files lie.
    """

    mesh: str
    role: str
    name: str
    folder: Path

    @property
    def spiffe_id(self) -> str:
        """The id in their certificate: what the log calls the actor."""
        kind = "backend" if self.role == "backend" else f"person/{self.role}"
        return f"{SCHEME}{self.mesh}/{kind}/{self.name}"

    @property
    def tls(self) -> TlsFiles:
        """The files of their certificate."""
        return TlsFiles(self.folder / "tls.pem", self.folder / "tls.key", self.folder / "ca.pem")

    @property
    def decision_key(self) -> Path:
        """The file of their decision key."""
        return self.folder / "decision.key"

    @property
    def share_key(self) -> Path:
        """The file of a custodian's share key."""
        return self.folder / "share.key"

    @property
    def passphrase(self) -> Path:
        """Where a throwaway mesh keeps their passphrase."""
        return self.folder / "passphrase"


class MeshFolder:
    """A mesh's folder.

    Args:
        folder: Its path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def people(self) -> Path:
        """The folder of people's folders."""
        return self.folder / "people"

    def exists(self) -> bool:
        """Tell whether a mesh was set up here."""
        return (self.folder / MESH_FILE).exists()

    def read(self) -> MeshFile:
        """Return what `mesh.json` says.

        Raises:
            RefusedError: `MESH_MISSING`, and those of the file's fields.
        """
        if not self.exists():
            raise RefusedError(
                "MESH_MISSING",
                f"{self.folder} holds no mesh: set one up with `garim mesh up`, or name another with --mesh",
                kind=Kind.NOT_FOUND,
                field="mesh",
            )
        return MeshFile.from_bytes(read_input(self.folder / MESH_FILE, "mesh file"))

    def write(self, file: MeshFile) -> None:
        """Write `mesh.json`."""
        write_private(self.folder / MESH_FILE, file.to_bytes(), replace=True)

    def person(self, who: str, role: str) -> Person:
        """Return who acts.

        Args:
            who: `ROLE/NAME`, a name of the role, or empty where the role has one person only.
            role: The role that the command needs.

        Raises:
            RefusedError: `PERSON_ROLE`, `PERSON_UNKNOWN`, `PERSON_AMBIGUOUS`.
        """
        named_role, slash, name = who.rpartition("/")
        wanted = named_role if slash else role
        if wanted not in ROLES or (slash and wanted != role and role):
            raise RefusedError("PERSON_ROLE", f"this needs a {role}: name one as {role}/NAME", field="as")
        if not name and len(known := self.names(wanted)) > 1:
            raise RefusedError(
                "PERSON_AMBIGUOUS", f"say with --as which {wanted} acts: {', '.join(known)}", field="as"
            )
        name = name or next(iter(self.names(wanted)), "")
        if not name or not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name):
            raise RefusedError("PERSON_UNKNOWN", f"the mesh has no {wanted}: name one with --as", field="as")
        folder = self.people / f"{wanted}-{name}"
        if not folder.is_dir():
            there = ", ".join(self.names(wanted)) or "none"
            raise RefusedError(
                "PERSON_UNKNOWN",
                f"no {wanted} of that name has a folder here (known: {there})",
                kind=Kind.NOT_FOUND,
                field="as",
            )
        return Person(self.read().mesh, wanted, name, folder)

    def names(self, role: str) -> list[str]:
        """Return the names of everybody in a role, sorted."""
        return sorted(one.name.removeprefix(f"{role}-") for one in self.people.glob(f"{role}-*"))
