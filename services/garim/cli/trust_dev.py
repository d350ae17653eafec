"""A development PKI in a folder: court, agency, their people, lists; every certificate marked for it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from garim.cli.files import write_private
from garim.statements.refusal import Kind, RefusedError
from garim.testing import pki

README = """TEST - NOT TO BE TRUSTED

Made by `garim trust dev` for rehearsals. Every certificate is marked for development; a mesh in production
refuses them (TRUST_DEVELOPMENT). Keys lie here without passphrases.
시험용 인증서입니다. 운영 환경은 이 인증서를 거부합니다.
"""


def make_signers(now: dt.datetime, court: str, agency: str) -> pki.DocumentPki:
    """Make a TEST court's and agency's certificates.

    Args:
        now: Time, with its offset.
        court: Name of the court.
        agency: Name of the agency.
    """
    # XML signatures are made with P-256, and the others as well.
    return pki.make_pki(now, ec.generate_private_key(ec.SECP256R1()), court_name=court, agency_name=agency)


def write_signers(made: pki.DocumentPki, people: Path, crls: Path) -> None:
    """Write judge, chief investigator and clerk, and the revocation lists.

    Args:
        made: The PKI.
        people: Folder of certificates and keys.
        crls: Folder of the lists.
    """
    for name, identity in (("judge", made.judge), ("chief", made.chief), ("clerk", made.clerk)):
        write_private(people / f"{name}.pem", identity.chain_pem())
        write_private(people / f"{name}.key", identity.key_pem())
    for name, crl in zip(("court", "agency"), made.crls, strict=True):
        write_private(crls / f"{name}.crl", crl)
    write_private(people / "names.txt", f"{made.court_name}\n{made.agency_name}\n".encode())


def write_development(folder: Path, now: dt.datetime, court: str, agency: str) -> pki.DocumentPki:
    """Write a whole development PKI into a new folder.

    Args:
        folder: Where; new or empty.
        now: Time, with its offset.
        court: Name of the court; must say TEST.
        agency: Name of the agency, likewise.

    Raises:
        RefusedError: `FILE_EXISTS`, `FIELD_VALUE`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise RefusedError("FILE_EXISTS", f"{folder} is not empty: name another folder", kind=Kind.EXISTS)
    for field, name in (("court", court), ("agency", agency)):
        if not name.startswith("TEST "):
            raise RefusedError("FIELD_VALUE", "a name of a development PKI begins with TEST", field=field)
    made = make_signers(now, court, agency)
    write_signers(made, folder / "people", folder / "crls")
    for name, authority in (("court", made.court_ca), ("agency", made.agency_ca)):
        write_private(folder / f"{name}-ca.pem", authority.pem.encode())
        key = authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(folder / f"{name}-ca.key", key)
    tls = pki.make_mesh("agency.example", now)
    pki.write_identity(folder / "tls", "agency", pki.issue_client(tls.ca, agency, now), tls.ca)
    write_private(folder / "README.txt", README.encode())
    return made
