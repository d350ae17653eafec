"""Settings of the redaction service."""

from __future__ import annotations

from typing import Annotated

import pydantic

from garim.kit.settings import DatabaseSettings, ServiceSettings, SettingPath


class RedactionSettings(ServiceSettings):
    """What redaction needs beside what every service needs.

    Attributes:
        database: Where builds and holds are kept.
        spool_folder: Where encrypted packages lie until they are acknowledged; mode 0700.
        attempts: How often an attempt that a new roster interrupts is started again.
        workers: How many processes share an attempt's work; each takes up to 100 MiB.
    """

    database: DatabaseSettings
    spool_folder: SettingPath
    attempts: Annotated[int, pydantic.Field(ge=1, le=10)] = 3
    workers: Annotated[int, pydantic.Field(ge=1, le=32)] = 2
