"""Messages for tests: a court's document that stands in for the PDF, an agency that signs, and examples."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import signxml
from cryptography.hazmat.primitives import serialization

from garim.documents.claims import read_claims
from garim.documents.envelope import Envelope
from garim.documents.etsi import write
from garim.documents.etsi.opening import open_message
from garim.documents.etsi.sign import sign_message
from garim.documents.x509 import ROLE_POLICIES, Role
from garim.testing import documents
from garim.testing.pki import AUTHORITY, Identity, issue_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from garim.documents.etsi.opening import OpenCourt
    from garim.testing.pki import DocumentPki

SHARED = Path(__file__).parents[3] / "shared/testdata/vectors"
EXAMPLES = SHARED / "etsi-103120"
_MARK = b"%PDF-stand-in\n"


def new_uuids() -> Callable[[], str]:
    """Return a source of UUIDs, the same ones for each test."""
    numbers = itertools.count(1)
    return lambda: str(uuid.UUID(int=next(numbers)))


def agency(pki: DocumentPki) -> Identity:
    """Return a chief investigator with a P-256 key: Ed25519 has no place in XMLDSig as it is in use."""
    policies = [ROLE_POLICIES[Role.CHIEF_INVESTIGATOR]]
    return issue_person(pki.agency_ca, "TEST 도하늘", "TEST-0002", AUTHORITY, pki.now, policies=policies)


def stand_in(members: dict[str, Any]) -> bytes:
    """Return what stands in for the court's PDF with these claims."""
    return _MARK + documents.payload(members)


def court_opener(pki: DocumentPki) -> OpenCourt:
    """Return what opens a stand-in: its claims with the judge's chain."""
    chain = tuple(one.public_bytes(serialization.Encoding.DER) for one in pki.judge.chain)
    return lambda data: Envelope(data.removeprefix(_MARK), (chain,))


def writing(
    pki: DocumentPki, *, sender: str = AUTHORITY, new_uuid: Callable[[], str] | None = None
) -> write.Writing:
    """Return what a message of an agency is written with."""
    return write.Writing(sender, documents.AUDIENCE, documents.millis(pki), new_uuid or new_uuids())


def asked(
    pki: DocumentPki, court: dict[str, Any], request_for: dict[str, Any] | None = None, **more: Any
) -> bytes:
    """Return an unsigned request around a court's document; it asks for the same unless told otherwise."""
    wanted = read_claims(documents.payload(request_for or court))
    return write.request(writing(pki, **more), wanted, stand_in(court))


def signed(identity: Identity, data: bytes) -> bytes:
    """Return a message with an agency's signature."""
    return sign_message(data, identity.key, identity.chain)  # type: ignore[arg-type]


def opened(pki: DocumentPki, data: bytes) -> Envelope:
    """Open a message, as a service does."""
    return open_message(data, court_opener(pki))


def schema_files(version: str) -> dict[str, bytes]:
    """Return the schemas of the standard's examples; what v1.23.1 lacks there is taken from v1.12.1."""
    folders = [EXAMPLES / "v1.12.1/schema", EXAMPLES / "v1.12.1/dictionaries", EXAMPLES]
    if version == "v1.23.1":
        folders.insert(0, EXAMPLES / "v1.23.1/schema/xsd")
    files: dict[str, bytes] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.xsd")):
            files.setdefault(path.name, path.read_bytes())
    digsig = Path(signxml.__path__[0]) / "schemas/xmldsig-core-schema.xsd"
    return files | {digsig.name: digsig.read_bytes()}
