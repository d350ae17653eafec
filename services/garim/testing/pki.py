"""Throwaway public key infrastructures for tests and the demo; every name in them says TEST.

Two kinds: certificates that sign official documents, and mesh identities for mutual TLS. Nothing here may be
trusted by a real operator: keys are made on the spot, unprotected, and thrown away, and every certificate
carries the mark of development, for which a mesh in production refuses it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import ipaddress
import os
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from garim.documents.x509 import DEVELOPMENT, DOCUMENT_SIGNING, ROLE_POLICIES, Role, TrustPolicy
from garim.statements.governance import DocumentAnchor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from garim.documents.sign import PrivateKey

COURT = "TEST 한빛지방법원"
AUTHORITY = "TEST 한빛지방검찰청"
YEAR = dt.timedelta(days=365)
MAX_CRL_AGE_MS = 30 * 24 * 60 * 60 * 1000
AuthorityKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_MARK = x509.UnrecognizedExtension(DEVELOPMENT, b"\x05\x00")


@dataclasses.dataclass(frozen=True)
class Identity:
    """A private key with its certificates.

    Attributes:
        key: P-256 or Ed25519.
        chain: Leaf first, without the anchor.
    """

    key: PrivateKey
    chain: tuple[x509.Certificate, ...]

    @property
    def signer(self) -> tuple[PrivateKey, tuple[x509.Certificate, ...]]:
        """Key and chain as `garim.documents.sign.sign_document` takes them."""
        return self.key, self.chain

    @property
    def certificate(self) -> x509.Certificate:
        """The leaf."""
        return self.chain[0]

    def key_pem(self) -> bytes:
        """Return the private key as unencrypted PKCS #8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def chain_pem(self) -> bytes:
        """Return the chain as PEM."""
        return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in self.chain)


@dataclasses.dataclass(frozen=True)
class Authority:
    """A certification authority with a P-256 key.

    Attributes:
        key: Its private key.
        certificate: Its own certificate.
        above: Intermediates between it and the anchor, itself included unless it is the anchor.
        marked: Whether what it issues carries the mark of development; a test may leave it out.
    """

    key: AuthorityKey
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()
    marked: bool = True

    @property
    def pem(self) -> str:
        """Its certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def issue(
        self,
        subject: x509.Name,
        extensions: Iterable[tuple[x509.ExtensionType, bool]],
        *,
        valid: tuple[dt.datetime, dt.datetime],
        key: PrivateKey | None = None,
    ) -> Identity:
        """Issue a certificate.

        Args:
            subject: Whom it names.
            extensions: Each with whether it is critical.
            valid: First and last moment.
            key: The holder's key; a new P-256 key without it.
        """
        own = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self.certificate.subject, own, valid, marked=self.marked).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return Identity(own, (builder.sign(self.key, hashes.SHA256()), *self.above))

    def subordinate(
        self,
        name: str,
        *,
        valid: tuple[dt.datetime, dt.datetime],
        policies: Iterable[x509.ObjectIdentifier],
        path_length: int | None = None,
        extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> Authority:
        """Issue an intermediate authority that may bind the given policies."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [*_ca_extensions(path_length), (_policies(policies), False), *extra]
        made = self.issue(_name(name), extensions, valid=valid, key=key)
        return Authority(key, made.certificate, made.chain, self.marked)

    def crl(
        self,
        now: dt.datetime,
        revoked: Sequence[x509.Certificate] = (),
        *,
        number: int = 1,
        lasts: dt.timedelta = dt.timedelta(days=30),
        extra: tuple[x509.ExtensionType, bool] | None = None,
    ) -> bytes:
        """Return a revocation list in DER, dated one minute before now.

        Args:
            now: Its time.
            revoked: Certificates it names.
            number: Its CRL number.
            lasts: From its date to the next update.
            extra: One more extension and whether it is critical.
        """
        issued = now - dt.timedelta(minutes=1)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(issued)
            .next_update(issued + lasts)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        if extra is not None:
            builder = builder.add_extension(extra[0], critical=extra[1])
        for certificate in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(issued)
                .build()
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def make_authority(
    name: str,
    now: dt.datetime,
    *,
    key: AuthorityKey | None = None,
    path_length: int | None = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    marked: bool = True,
) -> Authority:
    """Return a self-signed authority, valid from two years ago for four years.

    Args:
        name: commonName.
        now: Time around which it is valid, with its offset.
        key: Its key; a new P-256 key without it.
        path_length: How many intermediates may stand below it; any number without it.
        extra: More extensions, each with whether it is critical.
        marked: Whether it, and what it issues, carries the mark of development.
    """
    own = key or ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = _builder(subject, subject, own, (now - 2 * YEAR, now + 2 * YEAR), marked=marked)
    for extension, critical in [*_ca_extensions(path_length), *extra]:
        builder = builder.add_extension(extension, critical=critical)
    return Authority(own, builder.sign(own, hashes.SHA256()), marked=marked)


@dataclasses.dataclass(frozen=True)
class DocumentPki:
    """Who signs documents in tests and the demo.

    Attributes:
        now: When it was made; leaves are valid a year before and after.
        court_name: The court.
        agency_name: The agency.
        court_ca: Vouches for judges.
        agency_ca: Vouches for chief investigators.
        judge: Signs as `court` (ES256).
        chief: Signs as `chief-investigator` (EdDSA).
        clerk: Signs delivery receipts for the agency; holds no role.
        wrong_role: A chief investigator's certificate that the court's authority issued.
        expired: A chief investigator's, over since a day before `now`.
        revoked: A chief investigator's that the revocation list names.
    """

    now: dt.datetime
    court_name: str
    agency_name: str
    court_ca: Authority
    agency_ca: Authority
    judge: Identity
    chief: Identity
    clerk: Identity
    wrong_role: Identity
    expired: Identity
    revoked: Identity

    @property
    def trust(self) -> TrustPolicy:
        """What governance would say about it."""
        return TrustPolicy(self.anchors, MAX_CRL_AGE_MS, development=True)

    @property
    def anchors(self) -> tuple[DocumentAnchor, ...]:
        """The anchors as the governance document lists them."""
        return (
            anchor_of(self.court_ca, Role.COURT, self.court_name),
            anchor_of(self.agency_ca, Role.CHIEF_INVESTIGATOR, self.agency_name),
        )

    @property
    def crls(self) -> tuple[bytes, bytes]:
        """Fresh revocation lists of both authorities, in DER."""
        return self.court_ca.crl(self.now), self.agency_ca.crl(self.now, [self.revoked.certificate])


def anchor_of(authority: Authority, role: Role, *organisations: str) -> DocumentAnchor:
    """Return an authority as governance lists it, its role bound by Garim's own policy.

    Args:
        authority: Whom to trust.
        role: For which role.
        organisations: The courts or agencies it vouches for.
    """
    return DocumentAnchor(
        role=role.value,
        certificate=authority.pem,
        authorities=organisations,
        crl_issuers=(),
        policy=ROLE_POLICIES[role].dotted_string,
        subject=(),
    )


def make_pki(
    now: dt.datetime,
    chief_key: PrivateKey | None = None,
    *,
    court_name: str = COURT,
    agency_name: str = AUTHORITY,
) -> DocumentPki:
    """Make authorities, a judge, a chief investigator, a clerk, and certificates that must be refused.

    Args:
        now: Time around which everything is valid, with its offset.
        chief_key: The chief investigator's; a new Ed25519 key without it.
        court_name: The court; every court has an authority of its own.
        agency_name: The agency, likewise.
    """
    court_ca = make_authority(_ca_name("Court", court_name, COURT), now)
    agency_ca = make_authority(_ca_name("Agency", agency_name, AUTHORITY), now)
    court, chief = Role.COURT, Role.CHIEF_INVESTIGATOR
    return DocumentPki(
        now=now,
        court_name=court_name,
        agency_name=agency_name,
        court_ca=court_ca,
        agency_ca=agency_ca,
        judge=issue_person(
            court_ca, "TEST 판사 한가람", "TEST-0001", court_name, now, policies=[ROLE_POLICIES[court]]
        ),
        chief=issue_person(
            agency_ca,
            "TEST 수사책임자 도하늘",
            "TEST-0002",
            agency_name,
            now,
            policies=[ROLE_POLICIES[chief]],
            key=chief_key or ed25519.Ed25519PrivateKey.generate(),
        ),
        clerk=issue_person(agency_ca, "TEST 담당관 마루한", "TEST-0003", agency_name, now, policies=[]),
        wrong_role=issue_person(
            court_ca, "TEST 나래온", "TEST-0004", agency_name, now, policies=[ROLE_POLICIES[chief]]
        ),
        expired=issue_person(
            agency_ca,
            "TEST 다솜결",
            "TEST-0005",
            agency_name,
            now,
            policies=[ROLE_POLICIES[chief]],
            valid=(now - YEAR, now - dt.timedelta(days=1)),
        ),
        revoked=issue_person(
            agency_ca, "TEST 라온빛", "TEST-0006", agency_name, now, policies=[ROLE_POLICIES[chief]]
        ),
    )


def _ca_name(kind: str, organisation: str, usual: str) -> str:
    return f"TEST {kind} CA" if organisation == usual else f"TEST {kind} CA of {organisation}"[:64]


def issue_person(
    authority: Authority,
    name: str,
    person: str,
    organisation: str,
    now: dt.datetime,
    *,
    policies: Sequence[x509.ObjectIdentifier],
    key: PrivateKey | None = None,
    valid: tuple[dt.datetime, dt.datetime] | None = None,
    usages: Sequence[x509.ObjectIdentifier] = (DOCUMENT_SIGNING,),
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    title: str = "",
) -> Identity:
    """Issue a certificate that signs documents.

    Args:
        authority: Who issues it.
        name: commonName.
        person: serialNumber of the subject.
        organisation: organizationName.
        now: Valid a year before and after, unless `valid` says otherwise.
        policies: Certificate policies; those of `ROLE_POLICIES` bind a role.
        key: The holder's key; a new P-256 key without it.
        valid: First and last moment.
        usages: Extended key usages.
        extra: More extensions, each with whether it is critical.
        title: title of the subject; none where it is empty.
    """
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            *([x509.NameAttribute(NameOID.TITLE, title)] if title else []),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, person),
        ]
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(ca=False), True),
        (x509.ExtendedKeyUsage(usages), False),
        *extra,
    ]
    if policies:
        extensions.append((_policies(policies), False))
    return authority.issue(subject, extensions, valid=valid or (now - YEAR, now + YEAR), key=key)


def issue_client(authority: Authority, organisation: str, now: dt.datetime) -> Identity:
    """Issue an agency's certificate for TLS to the edge of warrants.

    Args:
        authority: Who issues it.
        organisation: organizationName: the agency.
        now: Valid a year before and after.
    """
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, "TEST agency"),
        ]
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(ca=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    ]
    return authority.issue(subject, extensions, valid=(now - YEAR, now + YEAR))


@dataclasses.dataclass(frozen=True)
class MeshPki:
    """Identities for mutual TLS in one mesh.

    Attributes:
        mesh: Its name: the trust domain of the SPIFFE ids.
        ca: Who issues them.
        now: When it was made; identities are valid a year before and after.
    """

    mesh: str
    ca: Authority
    now: dt.datetime

    def issue(
        self, path: str, *, dns: Sequence[str] = ("localhost",), ips: Sequence[str] = ("127.0.0.1",)
    ) -> Identity:
        """Issue an identity for both ends of a TLS connection.

        Args:
            path: Path of its SPIFFE id: `service/custody`, `person/custodian/<name>`.
            dns: DNS names it may serve under.
            ips: Addresses it may serve under.
        """
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(f"spiffe://{self.mesh}/{path}")]
        names += [x509.DNSName(name) for name in dns]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ips]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(ca=False), True),
            (x509.ExtendedKeyUsage(usages), False),
            (x509.SubjectAlternativeName(names), False),
        ]
        return self.ca.issue(_name(f"TEST {path}"[:64]), extensions, valid=(self.now - YEAR, self.now + YEAR))

    def write(self, folder: Path, name: str, path: str) -> None:
        """Issue an identity and write it; see `write_identity`."""
        write_identity(folder, name, self.issue(path), self.ca)


def make_mesh(mesh: str, now: dt.datetime) -> MeshPki:
    """Make the authority of a mesh.

    Args:
        mesh: Its name; lower-case letters, digits, dots and dashes.
        now: Time around which everything is valid, with its offset.
    """
    # Without the mark, which is for documents: Go's X.509 parses no identifier as long as the mark's, so that
    # neither buf nor k6 could call this mesh.
    return MeshPki(mesh, make_authority(f"TEST mesh {mesh} CA"[:64], now, marked=False), now)


def write_identity(folder: Path, name: str, identity: Identity, authority: Authority) -> None:
    """Write `<name>.pem` (chain), `<name>.key` (mode 0600) and `ca.pem` into a folder.

    Args:
        folder: Made with mode 0700 where it does not exist.
        name: Stem of the file names.
        identity: What to write.
        authority: Whose certificate becomes `ca.pem`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / f"{name}.pem").write_bytes(identity.chain_pem())
    (folder / "ca.pem").write_text(authority.pem)
    descriptor = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(identity.key_pem())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TEST - not to be trusted"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: PrivateKey | rsa.RSAPrivateKey,
    valid: tuple[dt.datetime, dt.datetime],
    *,
    marked: bool,
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.add_extension(_MARK, critical=False) if marked else builder


def _ca_extensions(path_length: int | None) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.BasicConstraints(ca=True, path_length=path_length), True), (_key_usage(ca=True), True)]


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _policies(identifiers: Iterable[x509.ObjectIdentifier]) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(one, None) for one in identifiers])
