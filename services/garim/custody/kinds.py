"""The kinds of provider objects; the first four are those that destruction certificates name."""

from __future__ import annotations

from typing import Literal

from garim.statements.labels import Purpose, bind

EPOCH: Literal["epoch"] = "epoch"
DOSSIER: Literal["dossier"] = "dossier"
REQUEST: Literal["unmask-request"] = "unmask-request"
ORDER: Literal["preservation-order"] = "preservation-order"
RECOVERY: Literal["recovery"] = "recovery"

Mortal = Literal["epoch", "dossier", "unmask-request", "preservation-order"]
"""Objects that are destroyed one day."""


def recovery_binding(mesh: str, kind: str) -> bytes:
    """Return what the sealed body of a log entry is bound to.

    Args:
        mesh: Name of the mesh.
        kind: Type of the log entry.
    """
    return bind(Purpose.LOG_RECOVERY, mesh, kind.encode())
