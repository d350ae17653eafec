"""The key pair to which log bodies are sealed."""

from __future__ import annotations

import dataclasses

from sqlalchemy import Connection, insert, select

from garim.custody.tables.schema import recovery_keys as t


@dataclasses.dataclass(frozen=True, slots=True)
class RecoveryKey:
    """A recovery key.

    Attributes:
        public: HPKE public key.
        wrapped_private: The private key under the recovery object.
    """

    public: bytes
    wrapped_private: bytes


def newest(connection: Connection) -> RecoveryKey | None:
    """Return the recovery key, if one was made."""
    row = connection.execute(select(t)).first()
    return None if row is None else RecoveryKey(row.public_key, row.wrapped_private)


def add(connection: Connection, key: RecoveryKey) -> None:
    """Keep a recovery key."""
    connection.execute(insert(t).values(public_key=key.public, wrapped_private=key.wrapped_private))
