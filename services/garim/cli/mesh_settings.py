"""The services' settings files of a throwaway mesh."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from garim.cli.files import write_private
from garim.cli.mesh_plan import Places
from garim.cli.meshfolder import SERVICES, MeshFile

ORIGIN = "{mesh}/log"


def log_origin(mesh: str) -> str:
    """Return the log's name in checkpoints."""
    return ORIGIN.format(mesh=mesh)


def _value(value: object) -> str:
    # JSON's strings, numbers, truth values and lists are TOML's, too.
    return json.dumps(value, ensure_ascii=False)


def toml(groups: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return settings as TOML: the group with the empty name comes first, without a head."""
    lines = [f"{key} = {_value(value)}" for key, value in groups.get("", {}).items()]
    for name, group in groups.items():
        if name:
            lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in group.items())]
    return ("\n".join(lines) + "\n").encode()


def _own(service: str, mesh: MeshFile, places: Places) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return a service's own settings: keys of the first group, further groups."""
    judged = {
        "statement_key": "statement.key",
        "policy_file": str(places.policy.absolute()),
        "crls_folder": str(places.crls.absolute()),
    }
    if service == "audit":
        return {}, {"log": {"origin": log_origin(mesh.mesh), "key": "log.key"}}
    if service == "messages":
        return {"store": mesh.store, "statement_key": "statement.key"}, {}
    if service == "warrants":
        return judged, {}
    if service == "redaction":
        return {"spool_folder": "spool"}, {}
    governance = {"governance_folder": str(places.governance.absolute())}
    return judged | governance, {"keys": {"kind": "file", "folder": "keys"}}


def _database(kept: Path) -> dict[str, Any]:
    if not kept.exists():
        return {"path": "database.sqlite"}
    group: dict[str, Any] = json.loads(kept.read_bytes())
    return group


def write_settings(service: str, mesh: MeshFile, places: Places) -> None:
    """Write a service's settings file.

    Args:
        service: Its name.
        mesh: Addresses and genesis.
        places: The mesh's folders.
    """
    first, groups = _own(service, mesh, places)
    head = {
        "mesh": mesh.mesh,
        "governance_genesis": mesh.genesis,
        "listen": mesh.addresses[service],
        "health_listen": mesh.health[service],
        **first,
    }
    everything: dict[str, Mapping[str, Any]] = {
        "": head,
        "tls": {"certificate": "tls.pem", "key": "tls.key", "trust": "ca.pem"},
        "database": _database(places.database(service)),
        **groups,
        "peers": {name: mesh.addresses[name] for name in SERVICES if name != service},
    }
    write_private(places.settings(service), toml(everything), replace=True)


def private_folders(service: str, places: Places) -> list[Path]:
    """Return the folders that a service expects to be there, for itself alone."""
    folder = places.service(service)
    own = {"redaction": [folder / "spool"], "custody": [folder / "keys"]}
    return [folder, *own.get(service, [])]
