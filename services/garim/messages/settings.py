"""Settings of the message store."""

from __future__ import annotations

from typing import Annotated

import pydantic

from garim.kit.settings import DatabaseSettings, ServiceSettings, SettingPath

StoreName = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class MessagesSettings(ServiceSettings):
    """What the message store needs beyond every service's settings.

    Attributes:
        store: Name of this store, pinned with its key in governance.
        statement_key: Ed25519 private key (PEM PKCS #8, mode 0600) that signs write-secret records and
            statements.
        database: Where the tables lie.
        write_secret_s: How long a write secret lives, in seconds; overwritten within a second more, and never
            later than after 60.
        batches_at_once: Batches worked on at once, with as many waiting; beyond it callers are told to come
            back.
        bytes_at_once: Bytes of all requests that are worked on or wait; beyond it callers are told to come
            back. The process holds some three times as much.
        max_future_s: How far a message's sent-at may lie ahead of the store's clock, in seconds.
        drop_grace_s: How long the clock must have stood behind an epoch's retention, or an order's end,
            before rows are dropped, in seconds, so that a jump of the clock loses nothing.
        buckets: Into how many buckets the conversations of an epoch fall, from the next epoch on: 1 where one
            server holds the tables, a multiple of the servers' number where several do.
        clock_settle_s: How long wall and monotonic clock must have moved together before an epoch is ended,
            in seconds.
    """

    store: StoreName
    statement_key: SettingPath
    database: DatabaseSettings
    write_secret_s: Annotated[int, pydantic.Field(ge=1, le=59)] = 58
    batches_at_once: Annotated[int, pydantic.Field(ge=1, le=256)] = 8
    bytes_at_once: Annotated[int, pydantic.Field(ge=1024 * 1024)] = 64 * 1024 * 1024
    max_future_s: Annotated[int, pydantic.Field(ge=0, le=86_400)] = 600
    buckets: Annotated[int, pydantic.Field(ge=1, le=1_024)] = 1
    clock_settle_s: Annotated[int, pydantic.Field(ge=0, le=3_600)] = 60
    drop_grace_s: Annotated[int, pydantic.Field(ge=0, le=86_400)] = 600
