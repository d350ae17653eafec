"""Check every custom resource of the overlays against the types of its own project.

    python deploy/checks/crds.py

The types are npm packages of named versions (`crds/package-lock.json` has their hashes), installed once
into `.garim/crds`. TypeScript's compiler then refuses unknown fields, wrong types, wrong words and what is
missing, at any depth. First it must refuse a planted fault. Ends with status 1 where something does not fit,
and says so where npm is missing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from deploy_support.manifests import OVERLAYS, render  # noqa: E402 - it stands beside the tests, in no package

SOURCE = Path(__file__).with_name("crds")
CACHE = ROOT / ".garim" / "crds"
PACKAGES = {
    "cert-manager.io": "cert-manager",
    "external-secrets.io": "external-secrets",
    "gateway.networking.k8s.io": "gateway-api",
    "monitoring.coreos.com": "prometheus-operator",
    "postgresql.cnpg.io": "cloudnative-pg",
}
PLANTED = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Certificate",
    "metadata": {"name": "planted"},
    "spec": {"secretName": "x", "issuerRef": {"name": "mesh"}, "dnsName": ["x"]},
}


def install() -> None:
    """Install the types, unless those of this lock file are there."""
    lock = (SOURCE / "package-lock.json").read_bytes()
    stamp = CACHE / hashlib.sha256(lock).hexdigest()
    if not stamp.exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, CACHE)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=CACHE, check=True)
        stamp.touch()
    shutil.copy(SOURCE / "tsconfig.json", CACHE)


def faults(resources: list[dict[str, Any]]) -> list[str]:
    """Return what the compiler says of the resources, one line each."""
    lines = []
    for number, resource in enumerate(resources):
        package = PACKAGES[resource["apiVersion"].partition("/")[0]]
        kind = f'import("@kubernetes-models/{package}/{resource["apiVersion"]}").I{resource["kind"]}'
        lines.append(f"export const r{number}: {kind} = {json.dumps(resource)};")
    (CACHE / "resources.ts").write_text("\n".join(lines) + "\n", encoding="utf-8")
    compiler = CACHE / "node_modules" / "typescript" / "bin" / "tsc"
    told = subprocess.run(
        ["node", compiler, "-p", CACHE],  # noqa: S607 - the machine's own
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.splitlines() + told.stderr.splitlines()


def main() -> int:
    """Check both overlays; return the exit status."""
    if shutil.which("npm") is None:
        sys.stdout.write("skipped (1): types of custom resources: npm is not on this machine\n")
        return 0
    install()
    if not any("dnsName" in line for line in faults([PLANTED])):
        sys.stderr.write("a planted fault was not found: the types do not check\n")
        return 1
    for overlay in OVERLAYS:
        resources = [one for one in render(overlay) if one["apiVersion"].partition("/")[0] in PACKAGES]
        found = faults(resources)
        sys.stdout.writelines(f"{overlay}: {line}\n" for line in found)
        if found:
            return 1
        sys.stdout.write(f"{overlay}: {len(resources)} custom resources fit their types\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
