"""The policies that cases were judged under before the present one, found by their digest.

Their files lie in the folder of the present one, under any name that ends with `.yaml`; whoever keeps a file
there names it by its digest.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from garim.documents.policy import Policy, load_policy
from garim.kit.files import read_file
from garim.statements.refusal import Kind, RefusedError

_PATTERN = "*.yaml"


def files_beside(policy_file: Path) -> Iterator[bytes]:
    """Return the bytes of every policy file in the folder of the present one.

    Args:
        policy_file: The present one.

    Raises:
        RefusedError: `FILE_*`.
    """
    return (read_file(path, "policy file") for path in sorted(policy_file.parent.glob(_PATTERN)))


def kept_beside(policy_file: Path, digest: str) -> Path:
    """Return where a policy file is kept once governance pins another one.

    Args:
        policy_file: Where the present one lies.
        digest: SHA-256 of the kept file, hexadecimal.
    """
    return policy_file.with_name(f"{digest}.yaml")


class KeptPolicies:
    """Finds policies by their digest; each is read once.

    Args:
        read_all: Returns the bytes of every policy file at hand.
    """

    def __init__(self, read_all: Callable[[], Iterable[bytes]]) -> None:
        self._read_all = read_all
        self._lock = threading.Lock()
        self._loaded: dict[str, Policy] = {}

    def __call__(self, digest: str) -> Policy:
        """Return the policy whose file has a SHA-256.

        Raises:
            RefusedError: `POLICY_MISSING`; those of the files and of `load_policy`.
        """
        with self._lock:
            if digest not in self._loaded:
                self._loaded[digest] = self._found(digest)
            return self._loaded[digest]

    def _found(self, digest: str) -> Policy:
        for data in self._read_all():
            if hashlib.sha256(data).hexdigest() == digest:
                return load_policy(data)
        raise RefusedError(
            "POLICY_MISSING",
            "the policy file that this case was judged under is not at hand: put it beside the present one",
            kind=Kind.PRECONDITION,
        )
