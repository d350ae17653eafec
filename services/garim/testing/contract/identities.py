"""The identities that the suite calls with: every certificate in a folder, by the id that it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc
from cryptography import x509

from garim.kit.identity import SCHEME, parse_spiffe_id
from garim.statements.refusal import Kind, RefusedError

ROLES = (
    "service/messages",
    "service/warrants",
    "service/redaction",
    "service/custody",
    "service/audit",
    "backend",
    "person/clerk",
    "person/reviewer",
    "person/custodian",
    "person/auditor",
    "person/operator",
)


@dataclass(frozen=True, slots=True)
class Identities:
    """One identity for each role.

    Attributes:
        mesh: Name of the mesh.
        trust: Its authorities, PEM.
        folders: Folder with `tls.pem` and `tls.key` of each role.
    """

    mesh: str
    trust: bytes
    folders: dict[str, Path]

    def credentials(self, role: str) -> grpc.ChannelCredentials:
        """Return TLS credentials of a role; of nobody for an empty one."""
        if not role:
            return grpc.ssl_channel_credentials(self.trust)
        folder = self.folders[role]
        return grpc.ssl_channel_credentials(
            self.trust, (folder / "tls.key").read_bytes(), (folder / "tls.pem").read_bytes()
        )


def identities_in(root: Path) -> Identities:
    """Find the identities below a folder, such as that of a throwaway mesh.

    Args:
        root: Holds, at any depth, folders with `tls.pem`, `tls.key` and `ca.pem`.

    Raises:
        RefusedError: `IDENTITY_MISSING`: a role has no certificate here, or `IDENTITY_INVALID`.
    """
    folders: dict[str, Path] = {}
    mesh = ""
    for path in sorted(root.rglob("tls.pem")):
        uri = _uri_of(path)
        mesh = mesh or uri.removeprefix(SCHEME).partition("/")[0]
        peer = parse_spiffe_id(uri, mesh)
        role = {"service": peer.path, "person": f"person/{peer.role}"}.get(peer.kind, peer.kind)
        folders.setdefault(role, path.parent)
    missing = [role for role in ROLES if role not in folders]
    if missing:
        raise RefusedError(
            "IDENTITY_MISSING",
            f"{root} holds no certificate of {', '.join(missing)}: add tls.pem, tls.key and ca.pem",
            kind=Kind.PRECONDITION,
            field="identities",
        )
    return Identities(mesh, (folders[ROLES[0]] / "ca.pem").read_bytes(), folders)


def _uri_of(path: Path) -> str:
    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "")
