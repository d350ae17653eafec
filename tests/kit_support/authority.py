"""A throw-away certificate authority that also issues what no proper one would."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from garim.kit.identity import dns_name
from garim.kit.tls import TlsFiles

DAY = dt.timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclasses.dataclass
class Authority:
    folder: Path
    mesh: str = "test.mesh"

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder("authority", self._key.public_key(), DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.trust = self.folder / "trust.pem"
        self.trust.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def service(self, name: str) -> TlsFiles:
        return self.issue(f"service/{name}", dns=[dns_name(self.mesh, name)])

    def issue(
        self,
        path: str,
        *,
        dns: list[str] | None = None,
        mesh: str | None = None,
        more_uris: list[str] | None = None,
        until: dt.timedelta = DAY,
    ) -> TlsFiles:
        """Issue a certificate; called again for the same path it rotates the files in place."""
        uris = [f"spiffe://{mesh or self.mesh}/{path}", *(more_uris or [])] if path else []
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        names += [x509.DNSName(name) for name in dns or []]
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder("someone", key.public_key(), until)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        stem = f"{mesh or self.mesh}-{path.replace('/', '-') or 'nobody'}"
        files = TlsFiles(self.folder / f"{stem}.pem", self.folder / f"{stem}.key", self.trust)
        files.key.touch(mode=0o600)
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return files

    def _builder(
        self, name: str, key: ec.EllipticCurvePublicKey, until: dt.timedelta
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name("authority"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + until)
        )
