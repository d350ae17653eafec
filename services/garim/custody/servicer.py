"""Custody's RPCs, put together: each group of them lives in a file of its own."""

from __future__ import annotations

from garim.custody.servicer_dossiers import DossierRpcs


class CustodyServicer(DossierRpcs):
    """All RPCs of custody.

    Another group is another base class: a subclass of the generated `CustodyServiceServicer` that overrides
    its own methods and whose `__init__` takes the use cases it calls.
    """
