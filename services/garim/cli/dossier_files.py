"""Packages on disk: fetched with resumption, decrypted, verified, opened."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyrage

from garim.api.custody.v1 import custody_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.cli.files import make_folder, read_input, write_private
from garim.cli.session import Session
from garim.dossier import opening
from garim.dossier.opening import OpenedDossier
from garim.dossier.receipt import GovernanceLink, LoggedStatement, ReceiptFile, verify_receipt
from garim.dossier.verification import verify_opened, verify_package_file
from garim.kit.convert import envelope_from, logged_from
from garim.kit.files import read_secret_file
from garim.statements.governance import Governance
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError

PACKAGE = "dossier.zip.age"
RECEIPT = "receipt.json"

Progress = Callable[[int], None]


def receipt_file(own: Session, receipt: redaction_pb2.FetchDossierResponse) -> ReceiptFile:
    """Return custody's receipt with the governance chain that shows whose keys signed it."""
    logged = logged_from(receipt.receipt)
    chain = own.custody.GetGovernance(custody_pb2.GetGovernanceRequest(from_version=1))
    links = tuple(
        GovernanceLink(one.document, tuple(envelope_from(each) for each in one.decisions))
        for one in chain.versions
    )
    return ReceiptFile(LoggedStatement(logged.statement, logged.proof), links)


def fetch(own: Session, case: bytes, folder: Path, genesis: str, progress: Progress) -> DossierReceipt:
    """Fetch a package and its receipt, going on where an earlier fetch broke off; then verify both.

    Args:
        own: A clerk's session.
        case: Id of the case.
        folder: Where they are written.
        genesis: SHA-256 of governance version 1.
        progress: Told how many bytes there are.

    Raises:
        RefusedError: `FILE_EXISTS`, those of the service, of the receipt and `PACKAGE_DIGEST`.
    """
    make_folder(folder)
    package, part = folder / PACKAGE, folder / f"{PACKAGE}.part"
    if package.exists():
        raise RefusedError("FILE_EXISTS", f"{package} is there already", kind=Kind.EXISTS, field="out")
    offset = part.stat().st_size if part.exists() else 0
    request = redaction_pb2.FetchDossierRequest(case_id=case, offset=offset)
    answers = own.redaction.FetchDossier(request)
    first = next(answers)
    file = receipt_file(own, first)
    receipt, _ = verify_receipt(file, genesis)
    write_private(folder / RECEIPT, file.to_bytes(), replace=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as target:
        for answer in answers:
            target.write(answer.chunk)
            offset += len(answer.chunk)
            progress(offset)
        target.flush()
        os.fsync(target.fileno())
    try:
        with part.open("rb") as source:
            verify_package_file(source, receipt)
    except RefusedError:
        # What lies there is no beginning of the package: the next fetch must start afresh.
        part.unlink()
        raise
    part.rename(package)
    return receipt


def read_receipt(path: Path, genesis: str) -> tuple[DossierReceipt, Governance]:
    """Read a receipt file and verify it offline.

    Raises:
        RefusedError: Those of `ReceiptFile.from_bytes` and `verify_receipt`.
    """
    return verify_receipt(ReceiptFile.from_bytes(read_input(path, "receipt")), genesis)


def read_identity(path: Path) -> pyrage.x25519.Identity:
    """Read an age identity file (mode 0600; lines that begin with # are comments).

    Raises:
        RefusedError: `AGE_IDENTITY`, and those of `read_secret_file`.
    """
    text = read_secret_file(path, "age identity").decode("ascii", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        (line,) = lines
        return pyrage.x25519.Identity.from_str(line)
    except (ValueError, pyrage.IdentityError):
        raise RefusedError("AGE_IDENTITY", f"{path} holds no age X25519 identity", field="identity") from None


@contextmanager
def decrypted(package: Path, identity: pyrage.x25519.Identity) -> Iterator[IO[bytes]]:
    """Decrypt a package into an unnamed file that is gone afterwards.

    Args:
        package: The `.age` file.
        identity: The recipient's.

    Raises:
        RefusedError: `AGE_DECRYPT`.
    """
    with tempfile.TemporaryFile(dir=package.parent) as plain, package.open("rb") as source:
        try:
            pyrage.decrypt_io(source, plain, [identity])
        except pyrage.DecryptError:
            raise RefusedError(
                "AGE_DECRYPT", "the file is not encrypted to this identity, or is damaged", field="identity"
            ) from None
        plain.seek(0)
        yield plain


def decrypt_small(data: bytes, identity: pyrage.x25519.Identity) -> bytes:
    """Decrypt an answer.

    Raises:
        RefusedError: `AGE_DECRYPT`.
    """
    try:
        return bytes(pyrage.decrypt(data, [identity]))
    except pyrage.DecryptError:
        raise RefusedError(
            "AGE_DECRYPT", "the file is not encrypted to this identity, or is damaged", field="identity"
        ) from None


def open_package(package: Path, identity_file: Path, folder: Path) -> OpenedDossier:
    """Decrypt a package and unpack it into a new folder.

    Raises:
        RefusedError: Those of `read_identity`, `decrypted` and `opening.unpack`.
    """
    if not package.is_file():
        raise RefusedError("FILE_MISSING", f"the package {package} does not exist", kind=Kind.NOT_FOUND)
    identity = read_identity(identity_file)
    with decrypted(package, identity) as archive:
        opening.unpack(archive, folder)
    return OpenedDossier(folder)


def verify_all(
    receipt_path: Path, genesis: str, package: Path | None, opened: Path | None
) -> tuple[DossierReceipt, Governance]:
    """Verify receipt, package and opened folder offline.

    Raises:
        RefusedError: What is wrong first.
    """
    receipt, governance = read_receipt(receipt_path, genesis)
    if package is not None:
        if not package.is_file():
            raise RefusedError("FILE_MISSING", f"the package {package} does not exist", kind=Kind.NOT_FOUND)
        with package.open("rb") as source:
            verify_package_file(source, receipt)
    if opened is not None:
        verify_opened(OpenedDossier(opened), receipt)
    return receipt, governance


def file_digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
