"""Settings of the audit service."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from garim.kit.settings import DatabaseSettings, ServiceSettings, SettingPath, Settings, Sha256Hex

Witness = Literal["custody", "warrants", "redaction", "messages"]


class LogSettings(Settings):
    """The log itself.

    Attributes:
        origin: Its name in checkpoints, as governance has it.
        key: Ed25519 private key that signs checkpoints, PKCS#8 PEM, mode 0600.
        genesis: SHA-256 of the governance version that leaf 0 commits to, where that is not version 1: the
            log succeeds another one.
        wait_for: Services whose pins must have been seen after a start before anything is appended.
    """

    origin: Annotated[str, pydantic.StringConstraints(pattern=r"^[!-*,-~]{1,200}$")]
    key: SettingPath
    genesis: Sha256Hex | None = None
    wait_for: tuple[Witness, ...] = pydantic.Field(default=("custody", "warrants"), strict=False)


class AuditSettings(ServiceSettings):
    """All settings of the audit service."""

    log: LogSettings
    database: DatabaseSettings
