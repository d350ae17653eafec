"""What an answer of the log must be, besides proven."""

from __future__ import annotations

from garim.kit.ledger.intents import Intent
from garim.statements.refusal import Kind, RefusedError
from garim.translog.leaf import Leaf


def demand_same(intent: Intent, body: bytes) -> None:
    """Refuse another body under the key of an intent.

    Raises:
        RefusedError: `LOG_KEY_REUSED`.
    """
    if intent.body != body:
        raise RefusedError(
            "LOG_KEY_REUSED",
            "this key stands for another body: take a new one",
            kind=Kind.EXISTS,
            field="key",
        )


def demand_contents(leaf: Leaf, intent: Intent) -> None:
    """Refuse a leaf whose public members are not those of its intent.

    Raises:
        RefusedError: `LOG_LEAF`.
    """
    if dict(leaf.magnitudes) != dict(intent.magnitudes) or leaf.sealed != intent.sealed:
        raise RefusedError("LOG_LEAF", "the log has changed the entry's magnitudes or sealed body")


def as_data_loss(error: RefusedError) -> RefusedError:
    """What the log answers wrongly is no fault of who asked us."""
    return RefusedError(error.reason, error.message, kind=Kind.DATA_LOSS, field=error.field)
