"""Custody's own copy of the policy, read anew when its file changes, and of those before it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable

from garim.documents.policy import Policy, load_policy
from garim.statements.refusal import Kind, RefusedError


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


class KeptPolicies:
    """The policies that cases were judged under before the present one, found by their digest.

    Args:
        read_all: Returns the bytes of every policy file at hand.
    """

    def __init__(self, read_all: Callable[[], Iterable[bytes]]) -> None:
        self._read_all = read_all

    def __call__(self, digest: str) -> Policy:
        """Return the policy whose file has a SHA-256.

        Raises:
            RefusedError: `POLICY_MISSING`; those of `load_policy`.
        """
        for data in self._read_all():
            if hashlib.sha256(data).hexdigest() == digest:
                return load_policy(data)
        raise RefusedError(
            "POLICY_MISSING",
            "the policy file that this case was judged under is not at hand: put it beside the present one",
            kind=Kind.PRECONDITION,
        )
