"""Revocation lists: anybody may deliver them into a folder; the newest of each issuer is kept for good.

What is kept lies in the database, so that taking a list out of the folder, or putting an older one there,
brings no revoked certificate back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from garim.custody.tables import revocation_lists
from garim.documents.crls import Crl, read_crl
from garim.documents.x509 import TrustPolicy
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.files import read_file
from garim.statements.refusal import RefusedError

SUFFIXES = frozenset({".crl", ".pem", ".der"})


class DeliveredLists:
    """The lists at hand.

    Args:
        folder: Where they are delivered.
        database: Where the newest ones are kept.
        clock: Time at which a list must count.
    """

    def __init__(self, folder: Path, database: Database, clock: Clock) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock

    def at_hand(self, trust: TrustPolicy) -> Sequence[bytes]:
        """Take in what was delivered, and return the newest list of each issuer.

        A delivered list that does not count is passed over: without a fresh one, documents are refused.

        Args:
            trust: What governance trusts.
        """
        delivered = [crl for path in self._files() if (crl := self._read(path, trust)) is not None]
        with self._database.reading() as connection:
            newer = [crl for crl in delivered if revocation_lists.is_newer(connection, crl)]
        if newer:
            with self._database.writing() as connection:
                for crl in newer:
                    revocation_lists.keep(connection, crl)
        with self._database.reading() as connection:
            return revocation_lists.contents(connection)

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if path.suffix in SUFFIXES)

    def _read(self, path: Path, trust: TrustPolicy) -> Crl | None:
        try:
            return read_crl(read_file(path, "revocation list"), trust, self._clock.now_ms())
        except RefusedError:
            return None
