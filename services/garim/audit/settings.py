"""Settings of the audit service."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

import pydantic

from garim.kit.settings import DatabaseSettings, ServiceSettings, SettingPath, Settings, Sha256Hex
from garim.statements.refusal import RefusedError
from garim.translog.keys import SignatureType, VerifierKey

Witness = Literal["custody", "warrants", "redaction", "messages"]


def _check_key(key: str) -> str:
    try:
        parsed = VerifierKey.parse(key)
    except RefusedError as error:
        raise ValueError(error.message) from None
    if parsed.type is not SignatureType.COSIGNATURE_V1:
        raise ValueError("is no key for cosignatures")
    return key


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not parts.hostname or parts.query or parts.fragment or not (local or parts.scheme == "https"):
        raise ValueError("must be https, or http on this machine, without query")
    return url


class WitnessSettings(Settings):
    """A witness (C2SP tlog-witness).

    Attributes:
        key: Its verifier key, as governance has it.
        url: Prefix of its `add-checkpoint`: https, or http on this machine.
        trust: PEM file of authorities for https; the system's where it is left out.
    """

    key: Annotated[str, pydantic.AfterValidator(_check_key)]
    url: Annotated[str, pydantic.AfterValidator(_check_url)]
    trust: SettingPath | None = None


class LogSettings(Settings):
    """The log itself.

    Attributes:
        origin: Its name in checkpoints, as governance has it.
        key: Ed25519 private key that signs checkpoints, PKCS#8 PEM, mode 0600.
        genesis: SHA-256 of the governance version that leaf 0 commits to, where that is not version 1: the
            log succeeds another one.
        wait_for: Services whose pins must have been seen after a start before anything is appended.
        witnesses: Who has to cosign each checkpoint before it is shown; those of governance, all of them. One
            that comes is added here before governance names it, one that goes is taken out here after.
        witness_timeout_s: Longest time that witnesses may take for one checkpoint, in seconds.
    """

    origin: Annotated[str, pydantic.StringConstraints(pattern=r"^[!-*,-~]{1,200}$")]
    key: SettingPath
    genesis: Sha256Hex | None = None
    wait_for: tuple[Witness, ...] = pydantic.Field(default=("custody", "warrants"), strict=False)
    witnesses: tuple[WitnessSettings, ...] = pydantic.Field(default=(), strict=False)
    witness_timeout_s: Annotated[float, pydantic.Field(gt=0, le=5)] = 4.0


class AuditSettings(ServiceSettings):
    """All settings of the audit service."""

    log: LogSettings
    database: DatabaseSettings
