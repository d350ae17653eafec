"""Peers that are no part of the project: installed on demand, apart from its own environment.

`peers/*.txt` beside this file hold exact versions and hashes (`uv pip compile --generate-hashes`).
"""

from __future__ import annotations

import subprocess
import venv
from importlib import resources
from pathlib import Path

from garim.statements.refusal import Kind, RefusedError


def peer_environment(name: str, folder: Path) -> Path:
    """Return the folder `bin` of an environment that holds a peer.

    Args:
        name: Of its requirements.
        folder: Where environments are kept; one made before is used again.

    Raises:
        RefusedError: `BENCH_PEER`: it cannot be installed.
    """
    programs = folder / name / "bin"
    if not programs.exists():
        venv.create(folder / name, with_pip=True)
    with resources.as_file(resources.files("garim.cli.bench") / "peers" / f"{name}.txt") as requirements:
        done = subprocess.run(
            [
                str(programs / "python"),
                "-m",
                "pip",
                "--disable-pip-version-check",
                "install",
                "--quiet",
                "--only-binary",
                ":all:",
                "--require-hashes",
                "-r",
                str(requirements),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        said = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason given")
        raise RefusedError("BENCH_PEER", f"{name}: {said.strip()}", kind=Kind.UNAVAILABLE)
    return programs
