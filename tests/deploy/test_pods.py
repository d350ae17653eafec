"""Every pod obeys the restricted profile, is bounded, and is where it belongs."""

from __future__ import annotations

import kubernetes_validate
import pytest

from deploy_support.manifests import (
    NAMESPACES,
    OVERLAYS,
    SERVICES,
    Document,
    Workload,
    deployment,
    find,
    namespace_of,
    of_kind,
    render,
    workloads,
)
from deploy_support.settings import settings_of

KUBERNETES_VERSION = "1.37"
USER = 65532
# Volumes that the restricted profile allows and that the manifests need.
VOLUMES = {"configMap", "secret", "projected", "emptyDir", "persistentVolumeClaim"}
# API groups whose types `make manifests-check` checks against their own packages.
CUSTOM = {
    "cert-manager.io",
    "external-secrets.io",
    "gateway.networking.k8s.io",
    "monitoring.coreos.com",
    "postgresql.cnpg.io",
}


def faults(pod: Document) -> list[str]:
    """Return what breaks the restricted profile of the Pod Security Standards, or our own stricter one."""
    found = []
    context = pod.get("securityContext", {})
    if not (context.get("runAsNonRoot") is True and context.get("runAsUser") == USER):
        found.append("may run as root")
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        found.append("system calls are not filtered")
    found += [one for one in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace") if pod.get(one)]
    if pod.get("automountServiceAccountToken") is not False:
        found.append("holds a token for the cluster")
    for volume in pod.get("volumes", []):
        if not volume.keys() - {"name"} <= VOLUMES:
            found.append(f"the volume {volume['name']}")
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        found += [f"{container['name']}: {fault}" for fault in _faults_of(container)]
    return found


def _faults_of(container: Document) -> list[str]:
    found = []
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        found.append("may gain privileges")
    if context.get("capabilities") != {"drop": ["ALL"]}:
        found.append("keeps capabilities")
    if context.get("readOnlyRootFilesystem") is not True:
        found.append("may write to its image")
    if context.get("runAsUser", USER) != USER or context.get("runAsNonRoot") is False:
        found.append("is another user")
    if "seccompProfile" in context or "procMount" in context:
        found.append("has a profile of its own")
    if any("hostPort" in port for port in container.get("ports", [])):
        found.append("takes a port of the node")
    resources = container.get("resources", {})
    limit = resources.get("limits", {}).get("memory")
    if limit is None or resources.get("requests", {}).get("memory") != limit:
        found.append("memory is not bounded by what it asked for")
    if "cpu" not in resources.get("requests", {}):
        found.append("asks for no processor")
    return found


def pods(overlay: str) -> list[Workload]:
    found = [one for one in workloads(render(overlay)) if one.pod]
    assert len(found) >= len(SERVICES)
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_obeys_the_restricted_profile(overlay: str) -> None:
    assert {one.name: faults(one.pod) for one in pods(overlay)} == {one.name: [] for one in pods(overlay)}


PLANTED: dict[str, tuple[tuple[str | int, ...], object]] = {
    "root": (("securityContext", "runAsNonRoot"), False),
    "another user": (("securityContext", "runAsUser"), 0),
    "unfiltered": (("securityContext", "seccompProfile"), {"type": "Unconfined"}),
    "token": (("automountServiceAccountToken",), True),
    "host network": (("hostNetwork",), True),
    "host path": (("volumes",), [{"name": "host", "hostPath": {"path": "/"}}]),
    "privileges": (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True),
    "capability": (("containers", 0, "securityContext", "capabilities", "add"), ["SYS_PTRACE"]),
    "writable": (("containers", 0, "securityContext", "readOnlyRootFilesystem"), False),
    "own user": (("containers", 0, "securityContext", "runAsUser"), 0),
    "unbounded": (("containers", 0, "resources"), {"requests": {"cpu": "1", "memory": "1Gi"}}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_of_a_container_shows(name: str) -> None:
    pod = deployment(render("prod"), "custody").pod
    (*path, last), value = PLANTED[name]
    place = pod
    for step in path:
        place = place[step]
    place[last] = value
    assert faults(pod)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_document_is_what_kubernetes_knows(overlay: str) -> None:
    checked = 0
    for one in render(overlay):
        if one["apiVersion"].partition("/")[0] in CUSTOM:
            continue
        kubernetes_validate.validate(one, KUBERNETES_VERSION, strict=True)
        checked += 1
    assert checked > 50


def test_an_unknown_field_is_not_what_kubernetes_knows() -> None:
    document = find(render("dev"), "Deployment", "audit")
    document["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, KUBERNETES_VERSION, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_namespaces_enforce_the_restricted_profile(overlay: str) -> None:
    documents = render(overlay)
    assert {one["metadata"]["name"] for one in of_kind(documents, "Namespace")} == NAMESPACES
    for one in of_kind(documents, "Namespace"):
        assert one["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_custody_runs_apart_and_nobody_looks_inside(overlay: str) -> None:
    documents = render(overlay)
    there = {one.name for one in workloads(documents) if one.namespace == "garim-custody"}
    assert "custody" in there
    assert all(name.startswith("custody") for name in there)
    assert not [
        one.name for one in workloads(documents) if "custody" in one.name and one.namespace != "garim-custody"
    ]
    closed = find(documents, "ValidatingAdmissionPolicy", "garim-custody-closed")["spec"]
    resources = {name for rule in closed["matchConstraints"]["resourceRules"] for name in rule["resources"]}
    assert resources == {"pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers"}
    assert closed["failurePolicy"] == "Fail"
    assert [one["expression"] for one in closed["validations"]] == ["false"]
    binding = find(documents, "ValidatingAdmissionPolicyBinding", "garim-custody-closed")["spec"]
    assert (binding["policyName"], binding["validationActions"]) == ("garim-custody-closed", ["Deny"])
    assert binding["matchResources"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "garim-custody"
    }


def test_custody_has_nodes_of_its_own() -> None:
    for one in pods("prod"):
        own = one.namespace == "garim-custody"
        assert one.pod.get("nodeSelector") == ({"garim.internal/pool": "custody"} if own else None), one.name
        assert bool(one.pod.get("tolerations")) == own


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_an_account_without_token_and_what_keeps_it_up(overlay: str, service: str) -> None:
    documents, namespace = render(overlay), namespace_of(service)
    workload = deployment(documents, service)
    assert workload.namespace == namespace
    account = find(documents, "ServiceAccount", workload.pod["serviceAccountName"], namespace)
    assert account["automountServiceAccountToken"] is False
    budget = find(documents, "PodDisruptionBudget", service, namespace)["spec"]
    assert budget["selector"]["matchLabels"].items() <= workload.labels.items()
    spread = workload.pod["topologySpreadConstraints"]
    assert {one["topologyKey"] for one in spread} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    assert all(one["labelSelector"]["matchLabels"].items() <= workload.labels.items() for one in spread)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_service_scales_out_or_says_why_not(overlay: str) -> None:
    documents = render(overlay)
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in of_kind(documents, "HorizontalPodAutoscaler")}
    for service in SERVICES:
        workload = deployment(documents, service).document
        if service in scaled:
            assert "replicas" not in workload["spec"], "the autoscaler says how many"
            assert workload["spec"]["strategy"]["type"] == "RollingUpdate"
            # Each replica opens up to 32 connections, one more during a rollout.
            most = find(documents, "HorizontalPodAutoscaler", service)["spec"]["maxReplicas"] + 1
            database = find(documents, "Cluster", f"{service}-database")["spec"]["postgresql"]
            assert int(database["parameters"]["max_connections"]) >= 32 * most
            assert find(documents, "PodDisruptionBudget", service)["spec"]["minAvailable"] == 1
        else:
            assert workload["spec"]["replicas"] == 1
            assert workload["spec"]["strategy"] == {"type": "Recreate"}, "two would write"
            assert len(workload["metadata"]["annotations"]["garim.internal/scaling"]) > 40
    # What `make test-replicas` has shown to be one service in several processes.
    assert scaled == ({"messages", "warrants"} if overlay == "prod" else set())


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_stop_leaves_time_to_drain(overlay: str, service: str) -> None:
    documents = render(overlay)
    pod = deployment(documents, service).pod
    sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain_s = settings_of(documents, service).drain_s
    assert sleep >= 5
    assert drain_s < 10
    assert pod["terminationGracePeriodSeconds"] >= sleep + drain_s + 10


def test_production_pins_each_image() -> None:
    for one in pods("prod"):
        for container in one.containers():
            assert "@sha256:" in container["image"]
            assert container["imagePullPolicy"] == "Always"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_stands_in_the_manifests(overlay: str) -> None:
    documents = render(overlay)
    assert not of_kind(documents, "Secret")
    assert not [one for one in workloads(documents) for box in one.containers() if box.get("env")]
