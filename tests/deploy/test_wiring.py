"""Settings, ports, probes, files, certificates and routes fit the code."""

from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from deploy_support.edges import PEOPLE, callers_of
from deploy_support.manifests import (
    OVERLAYS,
    SERVICES,
    Document,
    deployment,
    find,
    namespace_of,
    of_kind,
    render,
)
from deploy_support.settings import CLASSES, SETTINGS, config_map, parse, peers_of, read, settings_of
from garim.kit.db.place import Address, Server
from garim.kit.health import LIVE
from garim.kit.identity import dns_name, service_id
from garim.kit.ownership import OPTION, OwnerSettings
from garim.statements.refusal import RefusedError
from garim.warrants.settings import WarrantsSettings

MESH = "garim.example"
# Files that the key ceremony, the policy and the agencies' authorities bring; deploy/README.md says how.
BROUGHT = {"policy": {"policy.yaml"}, "agencies": {"agencies.pem"}, "crls": None, "governance": None}
ISSUED = {"tls.crt", "tls.key", "ca.crt"}
KEYS = {
    "audit": {"log.key"},
    "custody": {"statement.key", "keys.passphrase"},
    "messages": {"statement.key"},
    "warrants": {"statement.key"},
    "redaction": set[str](),
}

both = pytest.mark.parametrize("overlay", OVERLAYS)
each = pytest.mark.parametrize("service", SERVICES)


@both
@each
def test_every_setting_is_one_that_the_service_knows(overlay: str, service: str) -> None:
    documents = render(overlay)
    assert settings_of(documents, service).mesh == MESH
    config = config_map(documents, service)
    assert config["data"].keys() == {SETTINGS}
    container = deployment(documents, service).pod["containers"][0]
    mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    assert container["args"] == [f"/etc/garim/{SETTINGS}"]
    assert mounts["/etc/garim"] == "settings"


@each
def test_an_unknown_setting_shows(service: str) -> None:
    text = config_map(render("prod"), service)["data"][SETTINGS]
    with pytest.raises(RefusedError, match="SETTING_UNKNOWN"):
        parse(service, f"drain_seconds = 3\n{text}")


def port_of(address: str) -> int:
    host, _, port = address.rpartition(":")
    assert host == "0.0.0.0"  # noqa: S104 - every address of the pod, which is one
    return int(port)


@both
@each
def test_ports_and_probes_are_those_of_the_settings(overlay: str, service: str) -> None:
    documents = render(overlay)
    settings = settings_of(documents, service)
    assert settings.metrics_listen is not None
    wanted = {
        "grpc": port_of(settings.listen),
        "health": port_of(settings.health_listen),
        "metrics": port_of(settings.metrics_listen),
    }
    if isinstance(settings, WarrantsSettings):
        assert settings.edge is not None
        wanted["hi1"] = port_of(settings.edge.listen)
    container = deployment(documents, service).pod["containers"][0]
    assert {one["name"]: one["containerPort"] for one in container["ports"]} == wanted
    probes = {name: container[name]["grpc"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {one["port"] for one in probes.values()} == {wanted["health"]}
    # A service that waits for a peer is not restarted for it.
    assert [one.get("service", "") for one in probes.values()] == [LIVE, LIVE, ""]


@both
@each
def test_a_headless_service_shows_the_ports_with_tls_alone(overlay: str, service: str) -> None:
    documents = render(overlay)
    spec = find(documents, "Service", service, namespace_of(service))["spec"]
    workload = deployment(documents, service)
    assert spec["clusterIP"] == "None"
    assert spec["selector"].items() <= workload.labels.items()
    shown = {one["name"]: (one["port"], one["targetPort"], one["appProtocol"]) for one in spec["ports"]}
    wanted = {"grpc": (7443, "grpc", "grpc"), "hi1": (8443, "hi1", "https")}
    assert shown == {name: wanted[name] for name in (("grpc", "hi1") if service == "warrants" else ("grpc",))}
    # Custodians freeze and deny while custody waits for the log.
    assert spec.get("publishNotReadyAddresses", False) == (service == "custody")


@both
@each
def test_peers_are_services_of_these_manifests(overlay: str, service: str) -> None:
    documents = render(overlay)
    for peer, address in settings_of(documents, service).peers.items():
        assert address == f"{peer}.{namespace_of(peer)}.svc.cluster.local:7443"
        assert service in callers_of(peer, peers_of(documents))


def paths_in(settings: pydantic.BaseModel) -> set[Path]:
    """Return every path that settings name."""
    found: set[Path] = set()
    for _, value in settings:
        if isinstance(value, Path):
            found.add(value)
        elif isinstance(value, pydantic.BaseModel):
            found |= paths_in(value)
    return found


def held(documents: list[Document], service: str, volume: Document) -> set[str] | None:
    """Return the files in a volume; None where only its folder is named."""
    if "projected" in volume:
        assert volume["projected"]["defaultMode"] == 0o440
        return {item["path"] for one in volume["projected"]["sources"] for item in one["secret"]["items"]}
    if "secret" in volume:
        name = volume["secret"]["secretName"]
        assert volume["secret"]["defaultMode"] == 0o440, "else the service could not read it, or others could"
        if name.endswith("-tls"):
            issued = {one["spec"]["secretName"] for one in of_kind(documents, "Certificate")}
            assert name in issued
            return ISSUED
        if name == f"{service}-keys":
            return KEYS[service]
        external = find(documents, "ExternalSecret", name, namespace_of(service))["spec"]
        return {one["secretKey"] for one in external["data"]}
    return BROUGHT[volume["configMap"]["name"]] if "configMap" in volume else None


@both
@each
def test_each_file_of_the_settings_is_mounted(overlay: str, service: str) -> None:
    documents = render(overlay)
    pod = deployment(documents, service).pod
    mounts = {Path(one["mountPath"]): one for one in pod["containers"][0]["volumeMounts"]}
    volumes = {one["name"]: one for one in pod["volumes"]}
    named = paths_in(settings_of(documents, service))
    used = set()
    for path in named:
        folder = path if path in mounts else path.parent
        volume = volumes[mounts[folder]["name"]]
        used.add(volume["name"])
        assert mounts[folder].get("readOnly", False) == ("persistentVolumeClaim" not in volume)
        files = held(documents, service, volume)
        assert files is None or path.name in files, path
    assert used == volumes.keys() - {"settings", "scratch"}, "mounted and never read"


@each
def test_in_production_a_database_has_an_owner_who_migrates_and_a_role_that_cannot(service: str) -> None:
    documents, namespace = render("prod"), namespace_of(service)
    spec = find(documents, "Cluster", f"{service}-database", namespace)["spec"]
    job = find(documents, "Job", f"{service}-migration", namespace)["spec"]["template"]["spec"]
    (box,) = job["containers"]
    running = deployment(documents, service).pod["containers"][0]
    assert box["image"] == running["image"]
    assert box["args"] == [OPTION, "/etc/garim/owner.toml"]
    volumes = {one["name"]: one for one in job["volumes"]}
    text = find(documents, "ConfigMap", volumes["owner"]["configMap"]["name"], namespace)["data"][
        "owner.toml"
    ]
    owner = read("owner.toml", text, OwnerSettings)
    role = settings_of(documents, service).database.place  # type: ignore[attr-defined] # each has one
    place = owner.database.place
    assert isinstance(place, Server)
    host = f"{service}-database-rw.{namespace}.svc"
    assert place.address == Address(spec["bootstrap"]["initdb"]["owner"], host, 5432, service)
    assert role.address == Address(owner.runtime_role, host, 5432, service)
    assert [one["name"] for one in spec["managed"]["roles"]] == [owner.runtime_role]
    assert not {"superuser", "createdb", "createrole", "inRoles"} & spec["managed"]["roles"][0].keys()
    assert spec["enableSuperuserAccess"] is False
    assert spec["postgresql"]["synchronous"]["dataDurability"] == "required"
    assert secrets_of(volumes["database"]) == {f"{service}-database-ca", f"{service}-database-app"}
    mounted = {one["name"]: one for one in deployment(documents, service).pod["volumes"]}["database"]
    password = spec["managed"]["roles"][0]["passwordSecret"]["name"]
    assert secrets_of(mounted) == {f"{service}-database-ca", password}
    assert find(documents, "ExternalSecret", password, namespace)["spec"]["target"]["name"] == password


def secrets_of(volume: Document) -> set[str]:
    return {one["secret"]["name"] for one in volume["projected"]["sources"]}


def test_production_takes_its_keys_from_the_secret_store() -> None:
    documents = render("prod")
    for service in SERVICES:
        if KEYS[service]:
            spec = find(documents, "ExternalSecret", f"{service}-keys", namespace_of(service))["spec"]
            assert {one["secretKey"] for one in spec["data"]} == KEYS[service]
            assert spec["target"]["name"] == f"{service}-keys"
            assert spec["secretStoreRef"]["kind"] == "SecretStore", "custody has a store of its own"


@both
@each
def test_certificates_name_whom_the_code_expects(overlay: str, service: str) -> None:
    documents = render(overlay)
    spec = find(documents, "Certificate", service, namespace_of(service))["spec"]
    assert spec["uris"] == [service_id(MESH, service)]
    assert spec["dnsNames"] == [dns_name(MESH, service)]
    assert spec["secretName"] == f"{service}-tls"
    assert set(spec["usages"]) == {"digital signature", "server auth", "client auth"}
    assert spec["privateKey"]["encoding"] == "PKCS8"
    issuer = spec["issuerRef"]
    space = namespace_of(service) if issuer["kind"] == "Issuer" else None
    find(documents, issuer["kind"], issuer["name"], space)


def test_in_production_each_namespace_has_an_issuer_of_its_own() -> None:
    documents = render("prod")
    assert not of_kind(documents, "ClusterIssuer")
    paths = {
        one["metadata"]["namespace"]: one["spec"]["vault"]["path"]
        for one in of_kind(documents, "Issuer")
        if one["metadata"]["name"] == "mesh"
    }
    assert len(set(paths.values())) == 2


@both
def test_no_certificate_names_anybody_else(overlay: str) -> None:
    certificates = of_kind(render(overlay), "Certificate")
    named = [uri for one in certificates for uri in one["spec"].get("uris", [])]
    assert sorted(named) == sorted(service_id(MESH, service) for service in SERVICES)
    names = [name for one in certificates for name in one["spec"].get("dnsNames", [])]
    reserved = [name for name in names if name.endswith("garim.internal")]
    assert sorted(reserved) == sorted(dns_name(MESH, service) for service in SERVICES)


def test_the_edge_passes_tls_on_unopened_and_only_to_services_that_people_call() -> None:
    documents = render("prod")
    gateway = find(documents, "Gateway", "edge")["spec"]
    assert {(one["protocol"], one["tls"]["mode"]) for one in gateway["listeners"]} == {("TLS", "Passthrough")}
    routes = of_kind(documents, "TLSRoute")
    routed = {(one["spec"]["hostnames"][0], *_backend(one)) for one in routes}
    peers = peers_of(documents)
    people = {service for service in SERVICES if PEOPLE in callers_of(service, peers)}
    wanted = {(dns_name(MESH, service), namespace_of(service), service, 7443) for service in people}
    assert routed == wanted | {("hi1.garim.example", "garim", "warrants", 8443)}
    assert not [one for one in documents if one["kind"] in {"GRPCRoute", "HTTPRoute", "TCPRoute", "Ingress"}]
    assert {one["spec"].get("type", "ClusterIP") for one in of_kind(documents, "Service")} == {"ClusterIP"}


def _backend(route: Document) -> tuple[str, str, int]:
    ((backend,),) = [rule["backendRefs"] for rule in route["spec"]["rules"]]
    return route["metadata"]["namespace"], backend["name"], backend["port"]


def test_every_service_has_settings_of_its_own_class() -> None:
    assert {name: kind.__module__ for name, kind in CLASSES.items()} == {
        service: f"garim.{service}.settings" for service in SERVICES
    }


def test_each_alert_is_explained() -> None:
    documents = render("prod")
    readme = (Path(__file__).parents[2] / "deploy" / "README.md").read_text(encoding="utf-8")
    alerts = [
        rule
        for one in of_kind(documents, "PrometheusRule")
        for group in one["spec"]["groups"]
        for rule in group["rules"]
    ]
    assert len(alerts) >= 4
    for rule in alerts:
        assert rule["annotations"]["runbook_url"] == f"deploy/README.md#{rule['alert'].lower()}"
        assert f"### {rule['alert']}\n" in readme


@each
def test_metrics_of_each_service_are_read_from_the_port_of_that_name(service: str) -> None:
    documents = render("prod")
    monitor = find(documents, "ServiceMonitor", service, namespace_of(service))["spec"]
    shown = find(documents, "Service", f"{service}-metrics", namespace_of(service))
    assert shown["spec"]["selector"].items() <= deployment(documents, service).labels.items()
    assert [one["targetPort"] for one in shown["spec"]["ports"]] == ["metrics"]
    labels = shown["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert [one["port"] for one in monitor["endpoints"]] == ["metrics"]
