"""Run checkov over both overlays, in an environment of its own, with each skip and its reason.

    python deploy/checks/checkov.py

checkov brings a hundred packages, so it stays out of the project's lock: it is installed once into
`.garim/checkov` from exact versions and hashes (`checkov.txt`, made by `uv pip compile --generate-hashes`).
Ends with status 1 where a check fails, or where checkov does not find a planted fault.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from deploy_support.manifests import OVERLAYS, deployment, render  # noqa: E402 - beside the tests, no package

LOCK = Path(__file__).with_name("checkov.txt")
ENVIRONMENT = ROOT / ".garim" / "checkov"
SKIPPED = {
    "CKV_K8S_11": "a limit stops a service that has work on a node that has room; requests share fairly",
}
SKIPPED_IN_DEV = {
    "CKV_K8S_15": "a developer's images lie on the node, in no registry; overlay prod pulls always",
    "CKV_K8S_43": "a developer's images have no digest yet; overlay prod pins digests",
}
PLANTED = "CKV_K8S_20"  # containers that may gain privileges


class Outcome(NamedTuple):
    """What checkov counted.

    Attributes:
        passed: Checks that passed.
        failed: By check, the resources that failed.
    """

    passed: int
    failed: dict[str, list[str]]


def install() -> Path:
    """Install checkov unless this lock file's is there; return the command."""
    command = ENVIRONMENT / "bin" / "checkov"
    stamp = ENVIRONMENT / hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists():
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        pip = [ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes"]
        subprocess.run([*pip, "-r", LOCK], check=True)
        stamp.touch()
    return command


def run(command: Path, documents: list[dict[str, Any]]) -> Outcome:
    """Check documents, and skip nothing: what may fail is decided afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifests.yaml"
        path.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
        options = ["--framework", "kubernetes", "--skip-download", "--compact", "-o", "json"]
        told = subprocess.run([command, "-f", path, *options], capture_output=True, text=True, check=False)
    results = json.loads(told.stdout)["results"]
    failed: dict[str, list[str]] = {}
    for one in results["failed_checks"]:
        failed.setdefault(one["check_id"], []).append(one["resource"])
    return Outcome(len(results["passed_checks"]), failed)


def main() -> int:
    """Check both overlays; return the exit status."""
    command = install()
    planted = render("prod")
    box = deployment(planted, "custody").pod["containers"][0]
    box["securityContext"]["allowPrivilegeEscalation"] = True
    if PLANTED not in run(command, planted).failed:
        sys.stderr.write("a planted fault was not found: checkov does not check\n")
        return 1
    status = 0
    for overlay in OVERLAYS:
        outcome = run(command, render(overlay))
        reasons = SKIPPED | (SKIPPED_IN_DEV if overlay == "dev" else {})
        wrong = {check: where for check, where in outcome.failed.items() if check not in reasons}
        skipped = {check: where for check, where in outcome.failed.items() if check in reasons}
        counts = f"{outcome.passed} passed, {sum(map(len, wrong.values()))} failed"
        sys.stdout.write(f"{overlay}: {counts}, {sum(map(len, skipped.values()))} skipped\n")
        sys.stdout.writelines(f"  skipped {one} ({len(skipped[one])}): {reasons[one]}\n" for one in skipped)
        sys.stdout.writelines(f"  failed {one}: {', '.join(where)}\n" for one, where in wrong.items())
        unused = sorted(reasons.keys() - skipped.keys())
        sys.stdout.writelines(f"  {one} fails nowhere now: take it off the list\n" for one in unused)
        status = 1 if wrong or unused else status
    return status


if __name__ == "__main__":
    sys.exit(main())
