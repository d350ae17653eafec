"""The doctor on a service's machine: its settings file and everything that it names."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from garim.cli.doctor import identity
from garim.cli.doctor.findings import Finding, Findings
from garim.documents.crls import counts_until
from garim.documents.x509 import TrustPolicy
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.files import check_private, read_file, read_secret_file
from garim.kit.governance import GovernanceChain
from garim.kit.governance_table import GovernanceTable
from garim.kit.ledger import tables as ledger
from garim.kit.migrations import prepare
from garim.kit.providers.passphrase import open_root
from garim.kit.revocation_lists import SUFFIXES, lists
from garim.kit.settings import ServiceSettings, load_settings
from garim.kit.statement_key import demand_pinned, load_statement_key
from garim.sealing.secret import Secret
from garim.statements.governance import Governance
from garim.statements.refusal import RefusedError

Free = Callable[[Path], tuple[int, int]]
"""Returns a folder's free bytes and all its bytes."""

# A key that only one service's settings hold; warrants holds none of these.
_TELLING = MappingProxyType(
    {"log": "audit", "governance_folder": "custody", "store": "messages", "spool_folder": "redaction"}
)
_SKEW_MS = 120_000
_LIST_WARNING_MS = 2 * 24 * 3_600_000
_FREE_WARNING, _FREE_FAULT = 0.10, 0.02
_MIGRATE = "run the service with --migrate and the owner's settings"


def free_space(folder: Path) -> tuple[int, int]:
    """Return a folder's free bytes and all its bytes."""
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


def examine(path: Path, clock: Clock, free: Free = free_space) -> list[Finding]:
    """Look at a service's settings file and at everything that it names.

    Args:
        path: The settings file.
        clock: Time of the look.
        free: Tells the space on a disk.
    """
    found = Findings(path.name)
    read: list[tuple[str, ServiceSettings]] = []
    found.look("settings", "correct the file, then look again", lambda: read.append(_read(path)))
    for service, settings in read:
        found = Findings(service)
        found.ok("settings", f"{path} holds all that {service} needs")
        _Machine(service, settings, clock, found, free).look()
    return found.found


def _read(path: Path) -> tuple[str, ServiceSettings]:
    service = service_of(path)
    model = getattr(importlib.import_module(f"garim.{service}.settings"), f"{service.capitalize()}Settings")
    return service, load_settings(path, model)


def service_of(path: Path) -> str:
    """Return whose settings a file holds, by a key that no other service has.

    Raises:
        RefusedError: As `read_file`, `SETTINGS_SYNTAX`.
    """
    try:
        keys = tomllib.loads(read_file(path, "settings file").decode()).keys()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise RefusedError("SETTINGS_SYNTAX", f"{path} is no TOML") from None
    return next((service for key, service in _TELLING.items() if key in keys), "warrants")


class _Machine:
    def __init__(
        self, service: str, settings: ServiceSettings, clock: Clock, found: Findings, free: Free
    ) -> None:
        self._service = service
        # Each service's settings have groups of their own: which ones, `look` knows.
        self._settings: Any = settings
        self._clock = clock
        self._found = found
        self._free = free
        self._governance: Governance | None = None
        self._kept_lists: list[bytes] = []

    def look(self) -> None:
        found, settings = self._found, self._settings
        renew = "have the mesh's authority issue a certificate with this service's names, and put it in place"
        found.look("certificate", renew, lambda: identity.look(settings, self._service, self._clock, found))
        found.look("database", "see deploy/README.md, Databases", self._database)
        if self._service == "audit":
            found.look("log key", "put the log's key back in place, mode 600", self._log_key)
        if hasattr(settings, "statement_key"):
            do = "put the pinned key in place, or pin this one in a governance version"
            found.look("statement key", do, self._statement_key)
        if hasattr(settings, "keys"):
            found.look("key provider", "name the right folder and passphrase", self._provider)
        if hasattr(settings, "policy_file"):
            found.look("policy", "put the pinned policy file in place", self._policy)
            found.look("revocation lists", "deliver fresh lists into crls_folder", self._lists)
        if hasattr(settings, "spool_folder"):
            found.look("spool", "make the folder for the service alone, mode 700", self._spool)
        found.look("disk", "free space, or give the disk more", self._disks)

    def _database(self) -> None:
        place = self._settings.database.place
        if isinstance(place, Path) and not place.exists():
            self._found.warn(
                "database", f"{place} does not exist yet", "start the service: it makes the file"
            )
            return
        database = Database(place)
        try:
            self._tables(database)
            self._log_time(database)
            self._governance = self._governed(database)
            self._kept_lists = _kept_lists(database)
        finally:
            database.close()

    def _tables(self, database: Database) -> None:
        folder = Path(str(resources.files(f"garim.{self._service}"))) / "migrations"
        scripts = ScriptDirectory(str(folder))
        wanted, known = set(scripts.get_heads()), {one.revision for one in scripts.walk_revisions()}
        with database.reading() as connection:
            at = set(MigrationContext.configure(connection).get_current_heads())
        named = ", ".join(sorted(at)) or "none"
        if not at <= known:
            do = "start the version that made them, or restore the backup made before it"
            self._found.fault("database", f"its tables are of a later version ({named})", do)
        elif at == wanted:
            if not database.is_own:
                rights = importlib.import_module(f"garim.{self._service}.rights").RIGHTS
                prepare(database, folder, rights)
            self._found.ok("database", f"reachable, durable, its tables of version {named}")
        elif database.is_own:
            do = "start the service: it brings its own file up"
            self._found.warn("database", f"its tables are of an earlier version ({named})", do)
        else:
            self._found.fault("database", f"its tables are of an earlier version ({named})", _MIGRATE)

    def _log_time(self, database: Database) -> None:
        if not _holds(database, ledger.intents.name):
            return
        with database.reading() as connection:
            newest = connection.execute(sa.select(sa.func.max(ledger.intents.c.logged_ms))).scalar_one()
        ahead_ms = (newest or 0) - self._clock.now_ms()
        if ahead_ms > _SKEW_MS:
            what = f"the log's last entry known here is {ahead_ms // 1000} s ahead of this clock"
            self._found.fault("clock", what, "set the clock by NTP; within two minutes of the others")
        else:
            self._found.ok("clock", "not behind the log's last entry known here")

    def _governed(self, database: Database) -> Governance | None:
        if not _holds(database, "governance_versions"):
            return None
        chain = GovernanceChain(self._settings.mesh, self._settings.governance_genesis)
        for version in GovernanceTable(database).load():
            # Custody keeps a version before the log has taken it.
            chain.take(version, logged=version.proof is not None)
        if not chain.height:
            return None
        self._found.ok("governance", f"version {chain.height}, verified from the genesis digest")
        return chain.current()

    def _known(self, check: str) -> Governance | None:
        if self._governance is None:
            what = "not compared: this database holds no governance version"
            self._found.warn(check, what, "start the service while custody answers, then look again")
        return self._governance

    def _log_key(self) -> None:
        load_statement_key(self._settings.log.key, "checkpoint key")
        self._found.ok("log key", "readable, its owner's alone; `garim doctor --mesh` compares it")

    def _statement_key(self) -> None:
        key = load_statement_key(self._settings.statement_key)
        if (governance := self._known("statement key")) is None:
            return
        demand_pinned(key, governance.keys_of(self._service, getattr(self._settings, "store", None)))
        self._found.ok("statement key", f"pinned in governance version {governance.version}")

    def _provider(self) -> None:
        keys = self._settings.keys
        if not (keys.folder / "provider").exists():
            what = f"{keys.folder} holds no key provider yet"
            self._found.warn("key provider", what, "right before the first start; else find the folder")
            return
        check_private(keys.folder.stat(), keys.folder, "key folder")
        passphrase = None
        if keys.passphrase_file is not None:
            data = read_secret_file(keys.passphrase_file, "passphrase file")
            passphrase = Secret(bytearray(data.rstrip(b"\r\n")))
        try:
            root = open_root(keys.folder / "provider", self._settings.mesh, passphrase, _draws_nothing, 0)
        finally:
            if passphrase is not None:
                passphrase.wipe()
        if root is not None:
            root.wipe()
        self._found.ok("key provider", "opens")

    def _policy(self) -> None:
        digest = hashlib.sha256(read_file(self._settings.policy_file, "policy file")).hexdigest()
        if (governance := self._known("policy")) is None:
            return
        if digest == governance.policy:
            self._found.ok("policy", "the file that governance pins")
        else:
            what = f"governance pins {governance.policy[:16]}…, the file's digest is {digest[:16]}…"
            self._found.fault(
                "policy", what, "put the pinned file in place, the same at custody and warrants"
            )

    def _lists(self) -> None:
        if (governance := self._known("revocation lists")) is None:
            return
        folder, now_ms = self._settings.crls_folder, self._clock.now_ms()
        files = sorted(one for one in folder.iterdir() if one.suffix in SUFFIXES)
        at_hand = [*self._kept_lists, *(read_file(one, "revocation list") for one in files)]
        trust = TrustPolicy.of(governance)
        for number, anchor in enumerate(governance.anchors, start=1):
            until_ms = counts_until(anchor, at_hand, trust, now_ms)
            which = f"the list of the {anchor.role} authority ({number} of {len(governance.anchors)})"
            do = "deliver a fresh list into crls_folder: documents are refused without"
            if until_ms is None:
                self._found.fault("revocation lists", f"{which} is missing or stale", do)
            elif until_ms - now_ms < _LIST_WARNING_MS:
                hours = (until_ms - now_ms) // 3_600_000
                self._found.warn("revocation lists", f"{which} counts for {hours} more hours", do)
            else:
                self._found.ok("revocation lists", f"{which} is fresh")

    def _spool(self) -> None:
        folder = self._settings.spool_folder
        check_private(folder.stat(), folder, "spool folder")
        self._found.ok("spool", f"{folder} is the service's alone")

    def _disks(self) -> None:
        settings = self._settings
        places = {"database": settings.database.place, "spool": getattr(settings, "spool_folder", None)}
        places["keys"] = settings.keys.folder if hasattr(settings, "keys") else None
        for name, place in places.items():
            if not isinstance(place, Path):
                continue
            free, total = self._free(place if place.is_dir() else place.parent)
            what = f"{free / 2**30:.1f} GiB free of {total / 2**30:.1f} for {name}"
            if free < total * _FREE_FAULT:
                self._found.fault("disk", what, "free space now: a full disk stops the service")
            elif free < total * _FREE_WARNING:
                self._found.warn("disk", what, "free space, or give the disk more")
            else:
                self._found.ok("disk", what)


def _draws_nothing(_count: int) -> bytes:
    raise AssertionError("a provider that exists draws nothing")


def _holds(database: Database, table: str) -> bool:
    with database.reading() as connection:
        return sa.inspect(connection).has_table(table)


def _kept_lists(database: Database) -> list[bytes]:
    if not _holds(database, lists.name):
        return []
    with database.reading() as connection:
        return list(connection.execute(sa.select(lists.c.content)).scalars())
