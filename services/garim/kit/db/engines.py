"""What `Database` asks of an engine."""

from __future__ import annotations

from typing import Protocol

import sqlalchemy

from garim.kit.db.refusals import Reason


class Engines(Protocol):
    """The engines of one place, one to write and one to read, and how its errors are read.

    Attributes:
        writer: Engine of writing transactions.
        reader: Engine of transactions that see one snapshot and cannot write.
        errors: Exceptions of the driver itself.
        probe: A statement that fails where nothing can be written.
        shares: Whether several transactions can write at once.
        is_own: Whether the place belongs to the service wholly, so that it makes its tables itself.
    """

    writer: sqlalchemy.Engine
    reader: sqlalchemy.Engine
    errors: tuple[type[Exception], ...]
    probe: str
    shares: bool
    is_own: bool

    def enter(self, connection: sqlalchemy.Connection, *, shared: bool) -> None:
        """Take a writing transaction's place in the line across processes."""

    def reason_of(self, error: BaseException | None) -> Reason | None:
        """Return the reason of a driver's error that tells about the place, not about the statement."""

    def bare(self, error: BaseException | None) -> Exception:
        """Return what may be shown of a driver's error: no value of a row."""
