"""The settings in the manifests' ConfigMaps, read as the services read them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from deploy_support.manifests import SERVICES, Document, deployment, find, namespace_of
from garim.audit.settings import AuditSettings
from garim.custody.settings import CustodySettings
from garim.kit.settings import ServiceSettings, SettingsT, load_settings
from garim.messages.settings import MessagesSettings
from garim.redaction.settings import RedactionSettings
from garim.warrants.settings import WarrantsSettings

CLASSES: dict[str, type[ServiceSettings]] = {
    "audit": AuditSettings,
    "custody": CustodySettings,
    "messages": MessagesSettings,
    "redaction": RedactionSettings,
    "warrants": WarrantsSettings,
}
SETTINGS = "settings.toml"


def config_map(documents: list[Document], service: str) -> Document:
    """Return the ConfigMap that a service's Deployment mounts as its settings."""
    volumes = {one["name"]: one for one in deployment(documents, service).pod["volumes"]}
    name = volumes["settings"]["configMap"]["name"]
    return find(documents, "ConfigMap", name, namespace_of(service))


def read(name: str, text: str, model: type[SettingsT]) -> SettingsT:
    """Read settings as the program does, as if they lay in the container's folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        return load_settings(path, model)


def parse(service: str, text: str) -> ServiceSettings:
    """Read a service's settings."""
    return read(SETTINGS, text, CLASSES[service])


def settings_of(documents: list[Document], service: str) -> ServiceSettings:
    """Return a service's settings; each key must be known to the service."""
    return parse(service, config_map(documents, service)["data"][SETTINGS])


def peers_of(documents: list[Document]) -> dict[str, set[str]]:
    """Return by service whose addresses it has."""
    return {service: set(settings_of(documents, service).peers) for service in SERVICES}
