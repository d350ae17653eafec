"""Custody's own copy of the policy, read anew when its file changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from garim.documents.policy import Policy, load_policy


class PolicyFile:
    """Reads the policy file.

    Args:
        read: Returns the file's bytes.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._loaded: tuple[bytes, Policy] | None = None

    def __call__(self) -> Policy:
        """Return the policy as the file stands now.

        Raises:
            RefusedError: Those of the file and of `load_policy`.
        """
        data = self._read()
        with self._lock:
            if self._loaded is None or self._loaded[0] != data:
                self._loaded = (data, load_policy(data))
            return self._loaded[1]
