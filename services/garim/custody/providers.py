"""What custody demands of its key provider."""

from __future__ import annotations

from garim.kit.providers import KeyProvider
from garim.statements.refusal import Kind, RefusedError


def demand_destroys_in_time(provider: KeyProvider, retention_ms: int) -> None:
    """Refuse a provider whose keys could outlive the retention.

    Args:
        provider: The provider.
        retention_ms: How long after an epoch's end its key may live.

    Raises:
        RefusedError: `KEY_PROVIDER_SLOW`.
    """
    if provider.destruction_delay_ms > retention_ms:
        raise RefusedError(
            "KEY_PROVIDER_SLOW",
            "the key provider destroys keys later than the retention allows: use another one",
            kind=Kind.PRECONDITION,
            field="keys",
        )
