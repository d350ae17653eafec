"""Set up a throwaway mesh: a PKI marked TEST, governance with its people's keys, settings, a TEST agency."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.cli import governance_init, mesh_plan, trust_dev
from garim.cli.files import make_folder, write_private
from garim.cli.governance_init import Plan, key_text
from garim.cli.mesh_plan import Places
from garim.cli.mesh_settings import log_origin, private_folders, write_settings
from garim.cli.meshfolder import MESH_FILE, SERVICES, MeshFile, MeshFolder
from garim.kit.db import Server
from garim.kit.identity import dns_name
from garim.sealing.secret import Secret
from garim.statements.governance import LogIdentity, ServiceKey, Terms
from garim.statements.refusal import Kind, RefusedError
from garim.testing import pki

SIGNING_SERVICES = ("messages", "warrants", "custody")
AGE_IDENTITY = "investigator.agekey"
# Keys of a throwaway mesh lie beside their passphrases: a costly scrypt would guard nothing.
_LOG2_COST = 14


def set_up(
    root: Path,
    now: dt.datetime,
    *,
    review_always: bool = False,
    database: Server | None = None,
    names: str = "all-persons",
    addresses: Callable[[], tuple[dict[str, str], dict[str, str]]] = mesh_plan.new_addresses,
) -> MeshFile:
    """Make everything that a mesh needs before its first start.

    Args:
        root: The mesh's folder; new or empty.
        now: Time, with its offset.
        review_always: Whether reviewers decide every disclosure.
        database: PostgreSQL server, as its administrator reaches it, for the services' tables; None: files.
        names: Whose names the policy has masked; see `grants.Masking`.
        addresses: Picks the services' addresses and those of their health ports.

    Raises:
        RefusedError: `MESH_FOLDER`: the folder holds something else; or as `make_databases`.
    """
    if root.exists() and any(root.iterdir()):
        raise RefusedError(
            "MESH_FOLDER", f"{root} is not empty and holds no mesh: name another folder", kind=Kind.EXISTS
        )
    places = Places(root)
    make_folder(root)
    keys = _service_keys(places)
    documents = _agency(places, now)
    policy = _policy(places, review_always=review_always, names=names)
    genesis = _governance(places, keys, documents, policy, now)
    served, health = addresses()
    mesh = MeshFile(
        format="garim-mesh/1",
        mesh=mesh_plan.MESH_NAME,
        genesis=genesis,
        audience=mesh_plan.AUDIENCE,
        store=mesh_plan.STORE,
        addresses=served,
        health=health,
    )
    _identities(places, now)
    if database is not None:
        from garim.cli.mesh_databases import make_databases

        make_databases(database, places)
    for service in SERVICES:
        write_settings(service, mesh, places)
    # Last: a folder with this file is a whole mesh.
    MeshFolder(root).write(mesh)
    return mesh


def move_ports(root: Path) -> MeshFile:
    """Give every service of a stopped mesh a new free address."""
    places, folder = Places(root), MeshFolder(root)
    addresses, health = mesh_plan.new_addresses()
    mesh = MeshFile.from_json({**folder.read().to_json(), "addresses": addresses, "health": health})
    for service in SERVICES:
        write_settings(service, mesh, places)
    folder.write(mesh)
    return mesh


def is_unfinished(root: Path) -> bool:
    """Tell whether a set-up was broken off here: its folders without its last file."""
    return (root / "services").is_dir() and not (root / MESH_FILE).exists()


def _service_keys(places: Places) -> dict[str, bytes]:
    """Make the services' signing keys; return the public ones."""
    public = {}
    for service in SERVICES:
        for folder in private_folders(service, places):
            make_folder(folder)
    for service, name in [*((one, "statement.key") for one in SIGNING_SERVICES), ("audit", "log.key")]:
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(places.service(service) / name, pem)
        public[service] = key.public_key().public_bytes_raw()
    return public


def _agency(places: Places, now: dt.datetime) -> pki.DocumentPki:
    """Make the TEST court and agency, their revocation lists, and the investigator's age identity."""
    made = trust_dev.make_signers(now, pki.COURT, pki.AUTHORITY)
    trust_dev.write_signers(made, places.agency, places.crls)
    identity_text = pyrage.x25519.Identity.generate()
    write_private(places.agency / AGE_IDENTITY, f"{identity_text}\n".encode())
    write_private(places.agency / "recipient.txt", f"{identity_text.to_public()}\n".encode())
    return made


def _policy(places: Places, *, review_always: bool, names: str) -> str:
    text = resources.files("garim.documents").joinpath("kr.yaml").read_text(encoding="utf-8")
    if review_always:
        text = text.replace("always: false", "always: true")
    text = text.replace("names: all-persons", f"names: {names}")
    write_private(places.policy, text.encode())
    return hashlib.sha256(text.encode()).hexdigest()


def _governance(
    places: Places, keys: dict[str, bytes], documents: pki.DocumentPki, policy: str, now: dt.datetime
) -> str:
    instances = {"messages": mesh_plan.STORE, "warrants": "warrants", "custody": "custody"}
    plan = Plan(
        mesh=mesh_plan.MESH_NAME,
        audience=mesh_plan.AUDIENCE,
        custodians=mesh_plan.CUSTODIANS,
        quorum=mesh_plan.QUORUM,
        reviewers=mesh_plan.REVIEWERS,
        review_quorum=mesh_plan.REVIEW_QUORUM,
        services=[
            ServiceKey.from_json({"service": service, "instance": instance, "key": key_text(keys[service])})
            for service, instance in instances.items()
        ],
        log=LogIdentity(
            origin=log_origin(mesh_plan.MESH_NAME), key=key_text(keys["audit"]), witnesses=(), old_pins=()
        ),
        environment="development",
        anchors=documents.anchors,
        policy=policy,
        terms=Terms(
            epoch=mesh_plan.EPOCH_MS,
            retention=mesh_plan.RETENTION_MS,
            max_crl_age=mesh_plan.MAX_CRL_AGE_MS,
        ),
    )

    def throwaway(whose: str) -> Secret:
        text = f"TEST-{secrets.token_hex(12)}".encode()
        write_private(places.people / whose / "passphrase", text + b"\n")
        return Secret(bytearray(text))

    now_ms = int(now.timestamp() * 1000)
    genesis = governance_init.draw_up(plan, places.people, throwaway, now_ms, log2_cost=_LOG2_COST)
    governance_init.write_genesis(genesis, places.governance)
    return genesis.digest


def _identities(places: Places, now: dt.datetime) -> None:
    made = pki.make_mesh(mesh_plan.MESH_NAME, now)
    for service in SERVICES:
        names = (dns_name(mesh_plan.MESH_NAME, service), "localhost")
        identity = made.issue(f"service/{service}", dns=names)
        pki.write_identity(places.service(service), "tls", identity, made.ca)
    people = [("custodian", name) for name in mesh_plan.CUSTODIANS]
    people += [("reviewer", name) for name in mesh_plan.REVIEWERS]
    for role, name in [*people, *mesh_plan.OTHERS]:
        identity = made.issue(f"person/{role}/{name}", dns=(), ips=())
        pki.write_identity(places.people / f"{role}-{name}", "tls", identity, made.ca)
    backend = made.issue(f"backend/{mesh_plan.BACKEND}", dns=(), ips=())
    pki.write_identity(places.people / f"backend-{mesh_plan.BACKEND}", "tls", backend, made.ca)
