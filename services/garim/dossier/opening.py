"""Open a package as an investigator: decrypt it, unpack it, read it."""

from __future__ import annotations

import base64
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from garim.dossier import package
from garim.dossier.lines import MessageLine
from garim.dossier.transcript import About
from garim.statements import strict_json
from garim.statements.refusal import RefusedError

_NAMES = re.compile(
    r"(README\.txt|about\.json|messages\.jsonl|identities\.jsonl|commitments/(salts\.txt|roots\.json)"
    r"|transcript/(index|names-[1-9][0-9]{0,6}|C[1-9][0-9]{0,6}-[1-9][0-9]{0,6})\.html)\Z"
)
_CHUNK = 1 << 20
MAX_UNPACKED = 64 << 30
# RuntimeError is how zipfile says that an entry is encrypted.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Identity:
    """A row of `identities.jsonl`.

    Args:
        pseudonym: As it stands in the messages.
        type: What sort of thing it is.
        sealed: The sealed identity.
    """

    pseudonym: str
    type: str
    sealed: bytes


def unpack(archive: IO[bytes], folder: Path) -> None:
    """Unpack a package into a new folder; only files of this format are written.

    Args:
        archive: The decrypted zip archive.
        folder: Must not exist yet.

    Raises:
        RefusedError: `PACKAGE_FORMAT` for a file that is no package or holds other names, `PACKAGE_EXISTS`
            where the folder exists.
    """
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, NotImplementedError):
        raise RefusedError("PACKAGE_FORMAT", "the decrypted file is no zip archive") from None
    with opened:
        entries = opened.infolist()
        if any(not _NAMES.match(one.filename) for one in entries):
            raise RefusedError("PACKAGE_FORMAT", "the archive holds files that a package does not have")
        if len({one.filename for one in entries}) != len(entries):
            raise RefusedError("PACKAGE_FORMAT", "the archive holds a file twice")
        if sum(one.file_size for one in entries) > MAX_UNPACKED:
            raise RefusedError("PACKAGE_FORMAT", "the archive unpacks to more than 64 GiB")
        if folder.exists():
            raise RefusedError("PACKAGE_EXISTS", "the folder exists: name a new one", field="folder")
        folder.mkdir(parents=True, mode=0o700)
        try:
            for one in entries:
                _extract(opened, one, folder / one.filename)
        except _DAMAGED:
            shutil.rmtree(folder)
            raise RefusedError("PACKAGE_FORMAT", "the archive is damaged") from None


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(exist_ok=True, mode=0o700)
    with opened.open(entry) as source, target.open("xb") as out:
        while chunk := source.read(_CHUNK):
            out.write(chunk)


class OpenedDossier:
    """An unpacked package.

    Args:
        folder: Where it was unpacked.

    Raises:
        RefusedError: `PACKAGE_FORMAT` where the folder holds no package.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / package.ABOUT).is_file():
            raise RefusedError("PACKAGE_FORMAT", "the folder holds no opened dossier", field="folder")
        about = strict_json.parse_object((folder / package.ABOUT).read_bytes())
        if about.pop("format", None) != "garim-dossier/1":
            raise RefusedError("PACKAGE_FORMAT", "the package has another format", field="format")
        try:
            self.opaque = int(about.pop("opaque"))
            self.about = About(**about)
        except (KeyError, TypeError, ValueError):
            raise RefusedError("PACKAGE_FORMAT", "about.json is malformed", field=package.ABOUT) from None

    def raw_lines(self) -> Iterator[bytes]:
        """Yield each message's exact bytes, without the line end."""
        with (self.folder / package.MESSAGES).open("rb") as source:
            for line in source:
                yield line.removesuffix(b"\n")

    def messages(self) -> Iterator[MessageLine]:
        """Yield each message.

        Raises:
            RefusedError: Where a line is malformed.
        """
        for line in self.raw_lines():
            yield MessageLine.from_bytes(line)

    def salts(self) -> list[bytes]:
        """Return the messages' salts in order.

        Raises:
            RefusedError: `PACKAGE_FORMAT`.
        """
        try:
            return [bytes.fromhex(one) for one in (self.folder / package.SALTS).read_text().splitlines()]
        except ValueError:
            raise RefusedError("PACKAGE_FORMAT", "a salt is malformed", field=package.SALTS) from None

    def identities(self) -> list[Identity]:
        """Return the sealed identities, sorted by pseudonym.

        Raises:
            RefusedError: `PACKAGE_FORMAT`.
        """
        rows = []
        for line in (self.folder / package.IDENTITIES).read_bytes().splitlines():
            value = strict_json.parse_object(line)
            if value.keys() != {"pseudonym", "type", "sealed"}:
                raise RefusedError(
                    "PACKAGE_FORMAT", "an identity has unknown or missing members", field=package.IDENTITIES
                )
            try:
                sealed = base64.b64decode(value["sealed"], validate=True)
                rows.append(Identity(str(value["pseudonym"]), str(value["type"]), sealed))
            except (TypeError, ValueError):
                raise RefusedError(
                    "PACKAGE_FORMAT", "an identity is malformed", field=package.IDENTITIES
                ) from None
        return rows
