"""Who stands at the other end: SPIFFE ids of the mesh, and the peer of a call.

An id is ``spiffe://<mesh>/service/<name>``, ``/person/<role>/<name>``, ``/backend/<name>`` or
``/agency/<name>`` (SPIFFE-ID specification, section 2). gRPC for Python lets a client check only DNS names of
a server, so the certificate of a service also carries `dns_name` of the same identity; `check_names` refuses
a certificate in which the two disagree.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Collection, Iterable, Mapping
from typing import cast

import grpc

from garim.statements.refusal import Kind, RefusedError

SCHEME = "spiffe://"
DNS_SUFFIX = "garim.internal"
_MESH = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
_SEGMENTS = {"service": 2, "backend": 2, "agency": 2, "person": 3}


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """A checked identity of the mesh.

    Attributes:
        id: The whole SPIFFE id.
        mesh: Name of the mesh (the trust domain).
        kind: `service`, `person`, `backend` or `agency`.
        role: The role of a person; empty for all else.
        name: Name within kind and role.
    """

    id: str
    mesh: str
    kind: str
    role: str
    name: str

    @property
    def path(self) -> str:
        """The id below the mesh, such as `service/custody`."""
        return "/".join(part for part in (self.kind, self.role, self.name) if part)

    def matches(self, pattern: str) -> bool:
        """Tell whether `pattern` (whole leading segments, such as `person/custodian`) covers this peer."""
        wanted = pattern.split("/")
        return self.path.split("/")[: len(wanted)] == wanted


def check_mesh(mesh: str) -> str:
    """Return `mesh` if it can be a trust domain and part of a DNS name.

    Raises:
        RefusedError: `MESH_NAME`.
    """
    if len(mesh) > 128 or not _MESH.fullmatch(mesh):
        raise RefusedError(
            "MESH_NAME", "a mesh's name is a lower-case DNS name, such as demo.example", field="mesh"
        )
    return mesh


@functools.lru_cache(maxsize=4096)
def parse_spiffe_id(text: str, mesh: str) -> Peer:
    """Parse an id of this mesh.

    Args:
        text: The id as the certificate has it.
        mesh: The only trust domain that is accepted.

    Raises:
        RefusedError: `IDENTITY_INVALID` or `IDENTITY_OTHER_MESH`.
    """
    if not text.startswith(SCHEME):
        raise _forbidden("IDENTITY_INVALID", "the certificate's URI is no SPIFFE id")
    domain, *segments = text.removeprefix(SCHEME).split("/")
    if domain != mesh:
        raise _forbidden("IDENTITY_OTHER_MESH", "the certificate belongs to another mesh")
    kind = segments[0] if segments else ""
    if _SEGMENTS.get(kind) != len(segments) or not all(_NAME.fullmatch(part) for part in segments):
        raise _forbidden("IDENTITY_INVALID", "the SPIFFE id names no service, person, backend or agency")
    role = segments[1] if kind == "person" else ""
    return Peer(text, mesh, kind, role, segments[-1])


def service_id(mesh: str, service: str) -> str:
    """Return the SPIFFE id of a service."""
    return f"{SCHEME}{mesh}/service/{service}"


def dns_name(mesh: str, service: str) -> str:
    """Return the DNS name that a service's certificate carries beside its SPIFFE id."""
    return f"{service}.{mesh}.{DNS_SUFFIX}"


def check_names(peer: Peer, dns_names: Collection[str]) -> None:
    """Refuse a certificate whose DNS names say something else than its SPIFFE id.

    Only services carry names below `garim.internal`, and each only its own: otherwise the certificate of one
    service could answer for another.

    Raises:
        RefusedError: `IDENTITY_NAMES_DISAGREE`.
    """
    own = {dns_name(peer.mesh, peer.name)} if peer.kind == "service" else set()
    foreign = {name for name in dns_names if name.lower().rstrip(".").endswith(DNS_SUFFIX)} - own
    if foreign:
        raise _forbidden(
            "IDENTITY_NAMES_DISAGREE", "the certificate's DNS names are not those of its SPIFFE id"
        )


def peer_of(context: grpc.ServicerContext, mesh: str) -> Peer:
    """Return who calls, from the client certificate of the connection.

    Args:
        context: The running call.
        mesh: The mesh whose identities are accepted.

    Raises:
        RefusedError: `IDENTITY_MISSING` (no certificate, or not exactly one URI in it), `IDENTITY_INVALID`,
            `IDENTITY_OTHER_MESH` or `IDENTITY_NAMES_DISAGREE`.
    """
    auth = cast("Mapping[str, Iterable[bytes]]", context.auth_context())
    uris = list(auth.get("peer_uri", ()))
    if len(uris) != 1 or list(auth.get("peer_spiffe_id", ())) != uris:
        raise _forbidden("IDENTITY_MISSING", "the client certificate does not hold exactly one SPIFFE id")
    peer = parse_spiffe_id(uris[0].decode("ascii", "replace"), mesh)
    check_names(peer, [name.decode("ascii", "replace") for name in auth.get("peer_dns", ())])
    return peer


def _forbidden(reason: str, message: str) -> RefusedError:
    return RefusedError(reason, message, kind=Kind.FORBIDDEN)
