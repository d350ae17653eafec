"""Settings: one TOML file per service, frozen, closed, and nothing else.

No environment variable overrides a setting. Unknown keys are refused by name. Secrets are named by file path
only, and a relative path is relative to the settings file. Every fault of a file is reported at once, without
the value that was found.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar, cast, get_args

import pydantic

from garim.kit.db.place import Server, parse_url
from garim.kit.files import read_file
from garim.kit.identity import check_mesh
from garim.kit.tls import TlsFiles
from garim.kit.tracing import Tracing, TracingTarget
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError


class Settings(pydantic.BaseModel):
    """Base of every group of settings: frozen, and closed to unknown keys."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, strict=True, validate_default=True
    )


def _resolve(value: object, info: pydantic.ValidationInfo) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a path in quotes")
    base = (info.context or {}).get("folder", Path())
    return Path(base) / value


def _check_address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not host or not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("must be host:port, such as 127.0.0.1:7001")
    return value


def _check_mesh(value: str) -> str:
    try:
        return check_mesh(value)
    except RefusedError as refusal:
        raise ValueError(refusal.message) from None


def _check_url(value: str) -> str:
    parse_url(value)
    return value


SettingPath = Annotated[Path, pydantic.BeforeValidator(_resolve)]
Address = Annotated[str, pydantic.AfterValidator(_check_address)]
MeshName = Annotated[str, pydantic.AfterValidator(_check_mesh)]
Sha256Hex = Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class TlsSettings(Settings):
    """Where the identity's certificate, private key and trust store lie (PEM)."""

    certificate: SettingPath
    key: SettingPath
    trust: SettingPath

    def files(self) -> TlsFiles:
        """Return the paths in the form that `garim.kit.tls` takes."""
        return TlsFiles(self.certificate, self.key, self.trust)


class TelemetrySettings(Settings):
    """Where traces go; logs always go to standard error.

    Attributes:
        tracing: `none`, `console` (standard error) or `otlp`.
        collector: For `otlp`: `host:port` of a collector that speaks OTLP over gRPC.
        collector_trust: PEM of the authorities that its certificate must chain to; without it, spans go in
            plaintext.
    """

    tracing: TracingTarget = "none"
    collector: Address | None = None
    collector_trust: SettingPath | None = None

    @pydantic.model_validator(mode="after")
    def _complete(self) -> TelemetrySettings:
        if (self.tracing == "otlp") != (self.collector is not None):
            raise ValueError("otlp and collector belong together")
        if self.collector_trust is not None and self.collector is None:
            raise ValueError("collector_trust needs a collector")
        return self

    @property
    def target(self) -> Tracing:
        """What `garim.kit.telemetry.Telemetry` takes."""
        return Tracing(self.tracing, self.collector, self.collector_trust)


class DatabaseSettings(Settings):
    """Where the service keeps its tables: either `path` or `url`.

    Attributes:
        path: A SQLite file, which is created with mode 0600.
        url: A database on a PostgreSQL server: `postgresql://ROLE@HOST:PORT/DATABASE`. The folder of a Unix
            socket is percent-encoded: `postgresql://custody@%2Frun%2Fpostgresql/custody`.
        password_file: File with the role's password, mode 0600; read again for each connection.
        trust: Certificates (PEM) that the server's must chain to, for the host's name; needed but on a Unix
            socket.
        certificate: The role's own certificate (PEM), where the server asks for one.
        key: Its private key (PEM), mode 0600.
    """

    path: SettingPath | None = None
    url: Annotated[str, pydantic.AfterValidator(_check_url)] | None = None
    password_file: SettingPath | None = None
    trust: SettingPath | None = None
    certificate: SettingPath | None = None
    key: SettingPath | None = None

    @pydantic.model_validator(mode="after")
    def _one_place(self) -> DatabaseSettings:
        if (self.path is None) == (self.url is None):
            raise ValueError("needs either path (SQLite) or url (PostgreSQL)")
        if self.url is None:
            if self.model_fields_set != {"path"}:
                raise ValueError("path stands alone: the other keys belong to url")
        elif self.trust is None and not parse_url(self.url).is_local:
            raise ValueError("a server over the network needs trust: the certificates that its own chains to")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        return self

    @property
    def place(self) -> Path | Server:
        """What `garim.kit.db.Database` takes."""
        if self.url is None:
            return cast("Path", self.path)
        return Server(parse_url(self.url), self.password_file, self.trust, self.certificate, self.key)


class KeyProviderSettings(Settings):
    """Which key provider holds a service's objects.

    Attributes:
        kind: `file`: one file an object.
        folder: Folder of the objects, mode 0700.
        passphrase_file: File with the passphrase that protects the objects; none if absent.
    """

    kind: Literal["file"]
    folder: SettingPath
    passphrase_file: SettingPath | None = None


class CallerSettings(Settings):
    """What everybody in a mesh needs to call others.

    Attributes:
        mesh: Name of the mesh, the trust domain of its SPIFFE ids.
        governance_genesis: SHA-256 of the first governance document, in hexadecimal digits.
        tls: Identity of the caller.
        peers: Addresses of the services it calls, by service name.
        telemetry: Where traces go.
    """

    mesh: MeshName
    governance_genesis: Sha256Hex
    tls: TlsSettings
    peers: dict[str, Address] = {}
    telemetry: TelemetrySettings = TelemetrySettings()


class ServiceSettings(CallerSettings):
    """What every service needs; each service adds its own groups in a subclass.

    Attributes:
        listen: Address of the port with mutual TLS; port 0 takes a free one.
        health_listen: Address of the plaintext port that answers health only.
        metrics_listen: Address of the plaintext port that shows metrics to Prometheus (`/metrics` over HTTP);
            none if absent.
        workers: Calls served at once.
        drain_s: Longest time a running call gets to end at a stop, in seconds.
    """

    listen: Address
    health_listen: Address
    metrics_listen: Address | None = None
    workers: Annotated[int, pydantic.Field(ge=2, le=256)] = 16
    drain_s: Annotated[int, pydantic.Field(ge=0, le=600)] = 20


SettingsT = TypeVar("SettingsT", bound=Settings)
Place = tuple[int | str, ...]


def load_settings(path: Path, model: type[SettingsT]) -> SettingsT:
    """Read a settings file.

    Args:
        path: The TOML file.
        model: The settings of the service.

    Raises:
        RefusedError: `FILE_MISSING`, `FILE_UNREADABLE` or `SETTINGS_SYNTAX`.
        RefusedWithReasonsError: Every `SETTING_UNKNOWN`, `SETTING_MISSING` and `SETTING_INVALID` of the file.
    """
    try:
        values = tomllib.loads(read_file(path, "settings file").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        raise RefusedError("SETTINGS_SYNTAX", f"{path} is no TOML: {where}", kind=Kind.PRECONDITION) from None
    try:
        return model.model_validate(values, context={"folder": path.absolute().parent})
    except pydantic.ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise RefusedWithReasonsError(
            [_refusal(path, model, fault["type"], fault["loc"], fault["msg"]) for fault in faults]
        ) from None


def _refusal(path: Path, model: type[Settings], kind: str, place: Place, message: str) -> RefusedError:
    field = ".".join(str(part) for part in place)
    if kind == "extra_forbidden":
        known = _known_keys(model, place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(known))}"
        return _fault("SETTING_UNKNOWN", f"{path}: the key {field} is unknown; {hint}", field)
    if kind == "missing":
        return _fault("SETTING_MISSING", f"{path}: the key {field} is missing", field)
    text = message.removeprefix("Value error, ")
    return _fault("SETTING_INVALID", f"{path}: the key {field}: {text[:1].lower()}{text[1:]}", field)


def _known_keys(model: type[Settings], place: Place) -> list[str]:
    group = model
    for part in place:
        annotation = group.model_fields[str(part)].annotation if part in group.model_fields else None
        # A group that may be left out is a union with None.
        kinds = (annotation, *get_args(annotation))
        groups = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Settings)]
        if not groups:
            return []
        group = groups[0]
    return list(group.model_fields)


def _fault(reason: str, message: str, field: str) -> RefusedError:
    return RefusedError(reason, message, kind=Kind.PRECONDITION, field=field)
