"""The kinds of provider objects; the first four are those that destruction certificates name."""

from __future__ import annotations

from typing import Literal

EPOCH: Literal["epoch"] = "epoch"
DOSSIER: Literal["dossier"] = "dossier"
REQUEST: Literal["unmask-request"] = "unmask-request"
ORDER: Literal["preservation-order"] = "preservation-order"
RECOVERY: Literal["recovery"] = "recovery"

Mortal = Literal["epoch", "dossier", "unmask-request", "preservation-order"]
"""Objects that are destroyed one day."""
