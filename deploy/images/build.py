"""Build one image for each service, where there is no engine: with buildah, on bases of Debian packages.

    python deploy/images/build.py [--contexts-only] [SERVICE …]

Makes, under `.garim/images`: `bases/` (one that runs: Python and its libraries, no shell, no package manager;
one that builds), `contexts/SERVICE/` (wheels of the locked versions, checked by their hashes) and
`artifacts/`: each service's bill of materials (CycloneDX) and the Debian packages of the base. The images are
`localhost/garim-SERVICE:VERSION`. It needs root, and `make images-tools` once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

from requirements import ROOT, requirements

HERE = Path(__file__).parent
WORK = ROOT / ".garim" / "images"
ARTIFACTS = WORK / "artifacts"
SERVICES = ("audit", "custody", "messages", "redaction", "warrants")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
SUITE = "bookworm"
BASES = {
    "build": ("essential", ("python3", "python3-distutils")),
    "run": (
        "extract",
        ("base-files", "libpython3.11-stdlib", "libstdc++6", "netbase", "python3.11-minimal", "tzdata"),
    ),
}
# What packages bring that no service runs: tools, what configures them, documents.
NEVER_RUN = (
    *("bin", "sbin", "usr/sbin", "usr/bin/debconf*", "usr/bin/dpkg*", "usr/bin/mawk", "usr/lib/dpkg"),
    *("usr/bin/update-alternatives", "etc/apt", "etc/cron.daily", "etc/dpkg", "etc/logrotate.d", "var/cache"),
    *(
        "var/lib/apt",
        "var/lib/dpkg",
        *(f"usr/share/{name}" for name in ("awk", "bash-completion", "debconf")),
    ),
    *(
        f"usr/share/{name}"
        for name in ("doc", "doc-base", "dpkg", "lintian", "locale", "man", "menu", "perl5")
    ),
    *(f"usr/share/{name}" for name in ("pixmaps", "polkit-1")),
)
# Data without code, which its project publishes as source.
SOURCE_ONLY = "kiwipiepy-model"
USER = 65532
# Files of an image all have one time, so that the same input gives the same image.
TIMESTAMP = "1767225600"
ENVIRONMENT = {**os.environ, "CONTAINERS_CONF": str(HERE / "containers.conf"), "SOURCE_DATE_EPOCH": TIMESTAMP}
Command = Sequence[str | Path]


def run(command: Command) -> str:
    """Run a command and return what it prints; where it fails, show that and end with its status."""
    done = subprocess.run(command, check=False, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.stderr.write(f"{done.stdout}{done.stderr}failed: {' '.join(map(str, command))}\n")
        raise SystemExit(done.returncode)
    return done.stdout.strip()


def image_of(service: str) -> str:
    """Return the name of a service's image."""
    return f"localhost/garim-{service}:{VERSION}"


def make_base(name: str) -> None:
    """Make a base image from Debian's packages; its archive is kept."""
    archive = WORK / "bases" / f"{name}.tar"
    if not archive.exists():
        variant, packages = BASES[name]
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
            root = Path(folder) / "root"
            options = [f"--variant={variant}", f"--include={','.join(packages)}"]
            run(["mmdebstrap", "--quiet", "--mode=root", *options, SUITE, root])
            if name == "run":
                strip(root)
            times = ["--sort=name", f"--mtime=@{TIMESTAMP}"]
            run(["tar", "--numeric-owner", *times, "-C", root, "-cf", f"{archive}.new", "."])
        archive.with_suffix(".tar.new").rename(archive)
    container = run(["buildah", "from", "scratch"])
    run(["buildah", "add", "--quiet", container, archive])
    run(["buildah", "commit", "--quiet", "--rm", "--timestamp", TIMESTAMP, container, base_of(name)])


def base_of(name: str) -> str:
    """Return the name of a base image."""
    return f"localhost/garim-base-{name}:{SUITE}"


def strip(root: Path) -> None:
    """Take out of the base what never runs, write down what stays, and give it a user."""
    field = "${Package} ${Version}\n"
    listed = run(["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", f"--showformat={field}"])
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    (ARTIFACTS / "debian-packages.txt").write_text(f"{listed}\n", encoding="utf-8")
    for pattern in NEVER_RUN:
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    (root / "etc" / "passwd").write_text(f"garim:x:{USER}:{USER}::/nonexistent:/none\n", encoding="ascii")
    (root / "etc" / "group").write_text(f"garim:x:{USER}:\n", encoding="ascii")


def make_context(service: str) -> Path:
    """Bring together what a service's image is built from: wheels of the locked versions, and Garim's own.

    Hashes are checked here; in the build nothing is fetched.
    """
    folder = WORK / "contexts" / service
    wanted = requirements(service)
    stamp = folder / "requirements.txt"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(wanted)
            file.flush()
            binary = ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
            run([*wheel, folder / "wheels", *binary, "--require-hashes", "-r", file.name])
        version = run([*pip, "--version"]).split()[1]
        run([*pip, "download", "--no-deps", "--dest", folder / "pip", f"pip=={version}"])
        stamp.write_text(wanted, encoding="utf-8")
    shutil.rmtree(folder / "own", ignore_errors=True)
    with tempfile.TemporaryDirectory() as source:
        # A copy: building leaves folders behind in what it builds from.
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        services, left_out = Path(source) / "services", shutil.ignore_patterns("*.egg-info", "__pycache__")
        shutil.copytree(ROOT / "services", services, ignore=left_out)
        run([*wheel, folder / "own", source])
    return folder


def make_bill(service: str, context: Path) -> None:
    """Write a service's bill of materials, with a tool of an environment of its own."""
    environment = ROOT / ".garim" / "sbom"
    tool = environment / "bin" / "cyclonedx-py"
    if not tool.exists():
        venv.create(environment, clear=True, with_pip=True)
        pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes"]
        run([*pip, "-r", HERE / "sbom.txt"])
    out = ARTIFACTS / f"{service}.cdx.json"
    run([tool, "requirements", context / "requirements.txt", "--output-reproducible", "-o", out])


def build(service: str, context: Path) -> None:
    """Build a service's image."""
    bases = [f"--build-arg={name.upper()}_BASE={base_of(name)}" for name in BASES]
    options = ["--isolation=chroot", "--layers", f"--timestamp={TIMESTAMP}", "--pull=never"]
    arguments = [*bases, f"--build-arg=SERVICE={service}", "--file", HERE / "Dockerfile"]
    run(["buildah", "build", *options, *arguments, "--tag", image_of(service), context])


def main() -> None:
    """Build the images that the command line names; all without."""
    parser = argparse.ArgumentParser(description="Build one image for each service.")
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="all without")
    parser.add_argument("--contexts-only", action="store_true", help="for a build with another tool")
    options = parser.parse_args()
    services = options.services or SERVICES
    if unknown := set(services) - set(SERVICES):
        parser.error(f"no such service: {', '.join(sorted(unknown))}")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    contexts = {service: make_context(service) for service in services}
    for service, context in contexts.items():
        make_bill(service, context)
    if options.contexts_only:
        return
    missing = [tool for tool in ("buildah", "mmdebstrap") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        raise SystemExit(f"needs root and {', '.join(missing) or 'nothing else'}: see make images-tools")
    for name in BASES:
        make_base(name)
    for service, context in contexts.items():
        build(service, context)
        (listed,) = json.loads(run(["buildah", "images", "--json", image_of(service)]))
        sys.stdout.write(f"{image_of(service)}: {listed['size']}\n")


if __name__ == "__main__":
    main()
