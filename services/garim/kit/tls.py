"""Mutual TLS: loading a certificate with its key and trust store, noticing its rotation, credentials.

What is loaded is checked first: the key is its owner's alone, it belongs to the certificate, the certificate
holds exactly one SPIFFE id of this mesh and no names of another service, and the trust store is not empty.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from garim.kit.clock import Clock
from garim.kit.files import read_file, read_secret_file
from garim.kit.identity import Peer, check_names, dns_name, parse_spiffe_id
from garim.kit.telemetry import Telemetry, log_refusal
from garim.statements.refusal import Kind, RefusedError


@dataclasses.dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the three PEM files of an identity lie.

    Attributes:
        certificate: The certificate, followed by its intermediates.
        key: Its private key, unencrypted PKCS#8, mode 0600.
        trust: The certificates of the mesh's authorities.
    """

    certificate: Path
    key: Path
    trust: Path


@dataclasses.dataclass(frozen=True, slots=True)
class TlsMaterial:
    """Checked contents of `TlsFiles`.

    Attributes:
        identity: Whom the certificate names.
        chain: PEM of certificate and intermediates.
        key: PEM of the private key; gRPC takes it as bytes only.
        trust: PEM of the authorities.
        expires_ms: When the certificate ends, in milliseconds since 1970.
    """

    identity: Peer
    chain: bytes
    key: bytes = dataclasses.field(repr=False)
    trust: bytes = dataclasses.field(repr=False)
    expires_ms: int


def load(files: TlsFiles, mesh: str, now_ms: int) -> TlsMaterial:
    """Read and check the files of an identity.

    Args:
        files: Where they lie.
        mesh: The mesh that the certificate must name.
        now_ms: Wall time, for the certificate's validity.

    Raises:
        RefusedError: `KEY_FILE_MODE`, `FILE_MISSING`, `FILE_UNREADABLE`, `CERTIFICATE_INVALID`,
            `CERTIFICATE_EXPIRED`, `CERTIFICATE_KEY_MISMATCH`, `CERTIFICATE_IDENTITY`, `TRUST_STORE_EMPTY`, or
            a reason of `identity.parse_spiffe_id` and `identity.check_names`.
    """
    key = read_secret_file(files.key, "private key")
    chain = read_file(files.certificate, "certificate")
    trust = read_file(files.trust, "trust store")
    leaf = _certificates(chain, "CERTIFICATE_INVALID", files.certificate)[0]
    _certificates(trust, "TRUST_STORE_EMPTY", files.trust)
    expires_ms = round(leaf.not_valid_after_utc.timestamp() * 1000)
    if not leaf.not_valid_before_utc.timestamp() * 1000 <= now_ms < expires_ms:
        raise _refused("CERTIFICATE_EXPIRED", f"{files.certificate} is not valid now: renew it")
    if _public_bytes_of_key(key, files.key) != _public_bytes(leaf):
        raise _refused("CERTIFICATE_KEY_MISMATCH", f"{files.key} is not the key of {files.certificate}")
    return TlsMaterial(_identity(leaf, mesh, files.certificate), chain, key, trust, expires_ms)


class Rotation:
    """The material of one identity, read anew whenever its files change.

    A rotation that cannot be used (half written, another identity, expired) is logged and the former material
    stays in use.

    Args:
        files: Where the files lie.
        mesh: The mesh of the identity.
        clock: For the certificate's validity.
        telemetry: Where rotations are logged.

    Raises:
        RefusedError: As `load`, for the first load.
    """

    def __init__(self, files: TlsFiles, mesh: str, clock: Clock, telemetry: Telemetry) -> None:
        self._files = files
        self._mesh = mesh
        self._clock = clock
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._stamp = _stamp(files)
        self._material = load(files, mesh, clock.now_ms())

    def current(self) -> TlsMaterial:
        """Return the newest material that passes every check."""
        with self._lock:
            stamp = _stamp(self._files)
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
            return self._material

    def _reload(self) -> None:
        try:
            material = load(self._files, self._mesh, self._clock.now_ms())
            if material.identity != self._material.identity:
                raise _refused("CERTIFICATE_IDENTITY", "a rotation cannot change the identity")
        except RefusedError as refusal:
            log_refusal(self._telemetry, "certificate_rotation_refused", refusal)
            return
        self._material = material
        self._telemetry.info("certificate_rotated")


def server_credentials(rotation: Rotation) -> grpc.ServerCredentials:
    """Return credentials that demand a client certificate and follow rotations at each new connection.

    Raises:
        RefusedError: `CERTIFICATE_IDENTITY`: the certificate is no service's, or lacks its DNS name.
    """
    material = rotation.current()
    _check_server(material)

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal material
        newest = rotation.current()
        if newest is material:
            return None
        material = newest
        return _configuration(newest)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(material),
        fetch,  # type: ignore[arg-type] # None says that nothing changed; the stubs leave that out
        require_client_authentication=True,
    )


def channel_credentials(material: TlsMaterial) -> grpc.ChannelCredentials:
    """Return the client's side of mutual TLS."""
    return grpc.ssl_channel_credentials(material.trust, material.key, material.chain)


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(material.key, material.chain)], material.trust)


def _check_server(material: TlsMaterial) -> None:
    identity = material.identity
    names = _dns_names(x509.load_pem_x509_certificates(material.chain)[0])
    if identity.kind != "service" or dns_name(identity.mesh, identity.name) not in names:
        raise _refused(
            "CERTIFICATE_IDENTITY", "a server needs a service's certificate with the DNS name of that service"
        )


def _identity(leaf: x509.Certificate, mesh: str, path: Path) -> Peer:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise _refused("CERTIFICATE_IDENTITY", f"{path} holds no SPIFFE id") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise _refused("CERTIFICATE_IDENTITY", f"{path} does not hold exactly one SPIFFE id")
    identity = parse_spiffe_id(uris[0], mesh)
    check_names(identity, _dns_names(leaf))
    return identity


def _dns_names(leaf: x509.Certificate) -> list[str]:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


def _certificates(pem: bytes, reason: str, path: Path) -> Sequence[x509.Certificate]:
    try:
        certificates = x509.load_pem_x509_certificates(pem)
        for certificate in certificates:  # both are parsed only when asked for
            certificate.public_key()
            certificate.extensions  # noqa: B018 - a property that parses
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise _refused(reason, f"{path} holds no certificate that can be read") from None
    return certificates


def _public_bytes(leaf: x509.Certificate) -> bytes:
    return leaf.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _public_bytes_of_key(pem: bytes, path: Path) -> bytes:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _refused("CERTIFICATE_KEY_MISMATCH", f"{path} is no unencrypted private key in PEM") from None
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _stamp(files: TlsFiles) -> tuple[tuple[int, int, int] | None, ...]:
    stamps: list[tuple[int, int, int] | None] = []
    for path in (files.certificate, files.key, files.trust):
        try:
            status = path.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def _refused(reason: str, message: str) -> RefusedError:
    return RefusedError(reason, message, kind=Kind.PRECONDITION)
