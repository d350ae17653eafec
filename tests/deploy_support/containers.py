"""The five services as containers under podman: each as its Deployment in overlay dev says."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy_support.manifests import ROOT, SERVICES, deployment, namespace_of, render
from deploy_support.settings import SETTINGS, config_map
from garim.cli.mesh_plan import MESH_NAME, Places
from garim.cli.mesh_processes import is_serving
from garim.cli.mesh_setup import set_up
from garim.cli.meshfolder import MeshFile
from garim.testing import pki

FIGURES = pytest.StashKey[list[str]]()
USER = 65532
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
AGENCY = "TEST agency"
READY_S = 90.0
_MIB = 1024 * 1024
_UNITS = {"Mi": _MIB, "Gi": 1024 * _MIB}


def image_of(service: str) -> str:
    return f"localhost/garim-{service}:{VERSION}"


def podman(*arguments: str | Path, check: bool = True) -> str:
    """Run podman and return what it prints."""
    configuration = ROOT / "deploy" / "images" / "containers.conf"
    environment = {**os.environ, "CONTAINERS_CONF": str(configuration)}
    done = subprocess.run(
        ["podman", *arguments],  # noqa: S607 - the machine's own
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, f"podman {arguments[0]}: {done.stderr}"
    # A container's log comes back as the container wrote it: ours to standard error.
    return (done.stdout + done.stderr if arguments[0] == "logs" else done.stdout).strip()


def missing() -> str:
    """Say what this machine lacks for running containers; empty if nothing."""
    if os.geteuid() != 0:
        return "not root"
    lacking = [tool for tool in ("podman", "runc") if shutil.which(tool) is None]
    if lacking:
        return f"not on this machine: {', '.join(lacking)}"
    absent = [one for one in SERVICES if not podman("images", "--quiet", image_of(one))]
    return f"not built: {', '.join(absent)}" if absent else ""


@dataclass
class Containers:
    """Running containers.

    Attributes:
        root: The mesh's folder, for clients on this machine.
        file: Addresses and genesis.
        prefix: Begins the names of the containers and the network.
        subnet: First three numbers of the network's addresses.
        edge: The authority of the agencies' edge.
    """

    root: Path
    file: MeshFile
    prefix: str
    subnet: str
    edge: pki.MeshPki

    def name(self, service: str) -> str:
        return f"{self.prefix}-{service}"

    def address(self, service: str) -> str:
        return f"{self.subnet}.{10 + SERVICES.index(service)}"

    def pod_folder(self, service: str) -> Path:
        return self.root.parent / "pods" / service

    def run(self, service: str) -> None:
        """Start a container as the service's Deployment describes its pod."""
        workload = deployment(render("dev"), service)
        (box,) = workload.pod["containers"]
        pod_context, context = workload.pod["securityContext"], box["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not context["allowPrivilegeEscalation"]
        limit = box["resources"]["limits"]["memory"]
        volumes = {one["name"]: one for one in workload.pod["volumes"]}
        mounts: list[str] = []
        for one in box["volumeMounts"]:
            if "emptyDir" in volumes[one["name"]]:
                mounts += ["--tmpfs", f"{one['mountPath']}:size=64m,mode=1777"]
            else:
                mode = "ro" if one.get("readOnly") else "rw"
                mounts += ["-v", f"{self.pod_folder(service) / one['name']}:{one['mountPath']}:{mode}"]
        podman(
            *("run", "--detach", "--name", self.name(service), "--read-only", "--read-only-tmpfs=false"),
            *("--cap-drop=all", "--security-opt=no-new-privileges", "--pull=never"),
            f"--user={pod_context['runAsUser']}:{pod_context['runAsGroup']}",
            *("--memory", str(_bytes(limit)), "--memory-swap", str(_bytes(limit))),
            *("--network", f"{self.prefix}:ip={self.address(service)}"),
            *("--network-alias", f"{service}.{namespace_of(service)}.svc.cluster.local"),
            *mounts,
            image_of(service),
            *box["args"],
        )

    def await_ready(self, *services: str) -> None:
        until = time.monotonic() + READY_S
        waiting = set(services)
        while waiting:
            waiting -= {one for one in waiting if is_serving(self.file.health[one])}
            logs = {one: self.logs(one)[-1500:] for one in waiting} if time.monotonic() > until else None
            assert logs is None, logs
            time.sleep(0.1)

    def logs(self, service: str) -> str:
        return podman("logs", self.name(service), check=False)

    def inspect(self, service: str) -> dict[str, Any]:
        (found,) = json.loads(podman("inspect", self.name(service)))
        return dict(found)

    def python(self, service: str, code: str) -> str:
        """Run a piece of Python inside a running container."""
        return podman("exec", self.name(service), "/usr/bin/python3.11", "-c", code)

    def stop(self, service: str, longest_s: int) -> float:
        """Send SIGTERM, wait, and return how long it took in seconds; SIGKILL follows after `longest_s`."""
        began = time.monotonic()
        podman("stop", "--time", str(longest_s), self.name(service))
        return time.monotonic() - began

    def start(self, service: str) -> None:
        podman("start", self.name(service))


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * _UNITS[quantity[-2:]]


@contextlib.contextmanager
def running(root: Path, prefix: str, subnet: str) -> Iterator[Containers]:
    """Set a mesh up and run its services as containers.

    Args:
        root: The mesh's folder; new.
        prefix: Begins the names of containers and network.
        subnet: First three numbers of a private network that is free here.
    """
    now = dt.datetime.now(dt.UTC)
    hosts = {service: f"{subnet}.{10 + number}" for number, service in enumerate(SERVICES)}
    file = set_up(
        root,
        now,
        review_always=True,
        addresses=lambda: (
            {service: f"{host}:7443" for service, host in hosts.items()},
            {service: f"{host}:8081" for service, host in hosts.items()},
        ),
    )
    mesh = Containers(root, file, prefix, subnet, pki.make_mesh("edge.example", now))
    podman("network", "create", "--subnet", f"{subnet}.0/24", prefix)
    try:
        for service in SERVICES:
            _lay_out(mesh, service)
            mesh.run(service)
        mesh.await_ready(*SERVICES)
        yield mesh
    finally:
        for service in SERVICES:
            podman("rm", "--force", "--time", "0", mesh.name(service), check=False)
        podman("network", "rm", prefix, check=False)


def _lay_out(mesh: Containers, service: str) -> None:
    """Make what stands for a pod's volumes, with the owners and modes that Kubernetes gives them."""
    pod, places = mesh.pod_folder(service), Places(mesh.root)
    own = places.service(service)
    text = config_map(render("dev"), service)["data"][SETTINGS]
    text = text.replace("garim.example", MESH_NAME).replace("0" * 64, mesh.file.genesis)
    _write(pod / "settings" / SETTINGS, text.encode(), 0o644)
    for name, source in (("tls.crt", "tls.pem"), ("tls.key", "tls.key"), ("ca.crt", "ca.pem")):
        _write(pod / "tls" / name, (own / source).read_bytes(), 0o440)
    for name in ("statement.key", "log.key"):
        if (own / name).exists():
            _write(pod / "keys" / name, (own / name).read_bytes(), 0o440)
    _write(pod / "policy" / "policy.yaml", places.policy.read_bytes(), 0o644)
    for folder, name in ((places.crls, "crls"), (places.governance, "governance")):
        (pod / name).mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            _write(pod / name / path.name, path.read_bytes(), 0o644)
    if service == "custody":
        _write(pod / "keys" / "keys.passphrase", secrets.token_hex(16).encode(), 0o440)
    if service == "warrants":
        identity = mesh.edge.issue("service/warrants", dns=("hi1.garim.example",))
        _write(pod / "edge-tls" / "tls.crt", identity.chain_pem(), 0o440)
        _write(pod / "edge-tls" / "tls.key", identity.key_pem(), 0o440)
        _write(pod / "agencies" / "agencies.pem", mesh.edge.ca.pem.encode(), 0o644)
    data = pod / "data"
    data.mkdir(parents=True, exist_ok=True)
    os.chown(data, 0, USER)
    data.chmod(0o2775)


def _write(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.chown(path, 0, USER)
    path.chmod(mode)
