from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import pytest

from garim.kit.policy_files import KeptPolicies, files_beside, kept_beside
from garim.statements.refusal import RefusedError

POLICY = resources.files("garim.documents").joinpath("kr.yaml").read_bytes()
OTHER = POLICY + b"# another\n"
DIGEST = hashlib.sha256(POLICY).hexdigest()


def test_an_earlier_policy_is_found_by_its_digest_beside_the_present_file(tmp_path: Path) -> None:
    present = tmp_path / "kr.yaml"
    present.write_bytes(OTHER)
    kept = KeptPolicies(lambda: files_beside(present))
    with pytest.raises(RefusedError, match="POLICY_MISSING"):
        kept(DIGEST)
    kept_beside(present, DIGEST).write_bytes(POLICY)
    assert kept(DIGEST).digest == DIGEST


def test_a_files_name_does_not_vouch_for_what_it_holds(tmp_path: Path) -> None:
    present = tmp_path / "kr.yaml"
    kept_beside(present, DIGEST).write_bytes(OTHER)
    with pytest.raises(RefusedError, match="POLICY_MISSING"):
        KeptPolicies(lambda: files_beside(present))(DIGEST)
