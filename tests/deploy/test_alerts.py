"""Alert rules: they speak of metrics that exist, each has a page in the runbook, and fires when it must."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from garim.kit.metrics import METRICS, Metric

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = [
    rule
    for name in ("rules.yaml", "service-rules.yaml")
    for group in yaml.safe_load((DEPLOY / "monitoring" / name).read_text())["spec"]["groups"]
    for rule in group["rules"]
]
OURS = [rule for rule in RULES if "garim_" in rule["expr"]]
# What Prometheus itself puts on every series, and the bound of a histogram's bucket.
_GIVEN = {"job", "le"}

every = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
ours = pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule["alert"])


def series() -> dict[str, Metric]:
    """Return the metrics by the names of their series."""
    found: dict[str, Metric] = {}
    for metric in METRICS.values():
        suffixes = {"counter": ["_total"], "duration": ["_bucket", "_sum", "_count"], "gauge": [""]}
        found.update({metric.name + suffix: metric for suffix in suffixes[metric.kind]})
    return found


@ours
def test_a_rule_speaks_of_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    known = series()
    used = set(re.findall(r"\bgarim_[a-z_]+", rule["expr"]))
    assert used <= set(known)
    labels = {label for name in used for label in known[name].labels} | _GIVEN
    asked = set(re.findall(r'([a-z_]+)=~?"', rule["expr"]))
    shown = set(re.findall(r"\$labels\.([a-z_]+)", rule["annotations"]["summary"]))
    assert asked | shown <= labels


@every
def test_a_rule_has_a_page_in_the_runbook(rule: dict[str, Any]) -> None:
    place, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^### (\w+)$", (DEPLOY.parent / place).read_text(), re.MULTILINE)
    assert anchor == rule["alert"].lower()
    assert rule["alert"] in headings
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_runbook_has_no_page_without_a_rule() -> None:
    headings = re.findall(r"^### (Garim\w+)$", (DEPLOY / "README.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(rule["alert"] for rule in RULES)


# For each alert: the series that make it fire after so long, and one that must not.
FIRES: dict[str, tuple[str, str, str, str]] = {
    "GarimLogUnreachable": (
        "garim_log_waiting_since_timestamp_seconds",
        "1+0x60",
        "0+0x60",
        "30m",
    ),
    "GarimLogForked": ("garim_log_forks", "1+0x60", "0+0x60", "30m"),
    "GarimEpochOverdue": ("garim_epochs_overdue", "1+0x60", "0+0x60", "30m"),
    "GarimNoEpoch": ("garim_epoch_end_timestamp_seconds", "-1+0x60", "999999+0x60", "30m"),
    "GarimCertificateNotRenewed": (
        "garim_certificate_expiry_timestamp_seconds",
        "9000+0x60",
        "99999+0x60",
        "30m",
    ),
    "GarimRevocationListEnds": (
        "garim_revocation_list_expiry_timestamp_seconds",
        "0+0x60",
        "999999+0x60",
        "30m",
    ),
    "GarimDutyOverdue": ("garim_duties_overdue", "2+0x60", "0+0x60", "30m"),
    "GarimReviewWaits": ("garim_review_waiting_since_timestamp_seconds", "1+0x900", "0+0x900", "13h"),
    "GarimUnmaskWaits": ('garim_unmask_requests{state="pending"}', "1+0x1600", "0+0x1600", "25h"),
    "GarimDossierHeld": ('garim_builds{state="held"}', "1+0x300", "0+0x300", "5h"),
    "GarimFrozen": ("garim_freezes", "1+0x60", "0+0x60", "30m"),
    "GarimIncidents": ("garim_incidents_total", "0+1x60", "5+0x60", "30m"),
    "GarimCallersRefused": ('garim_rpc_refused_total{reason="ACCESS_DENIED"}', "0+60x60", "9+0x60", "30m"),
    "GarimRefusalsNotLogged": ("garim_refusals_not_logged_total", "0+1x60", "5+0x60", "30m"),
    "GarimPeerFails": ('garim_rpc_failed_total{reason="PEER_UNAVAILABLE"}', "0+60x60", "9+0x60", "30m"),
    "GarimCallsSlow": ("", "", "", "40m"),
    "GarimGaugeFails": ("garim_gauge_failed_total", "0+1x90", "5+0x90", "60m"),
    "GarimTelemetryDropped": ("garim_telemetry_dropped_total", "0+1x90", "5+0x90", "60m"),
}


def with_job(name: str) -> str:
    """Return a series as a service named `messages` shows it."""
    return name.replace("{", '{job="messages",') if "{" in name else f'{name}{{job="messages"}}'


def check_of(rule: dict[str, Any], *, fires: bool) -> dict[str, Any]:
    """Return promtool's test of one rule."""
    name, bad, good, at = FIRES[rule["alert"]]
    if name:
        inputs = [{"series": with_job(name), "values": bad if fires else good}]
    else:
        name = 'garim_rpc_served_seconds_bucket{{job="messages",method="/a",le="{}"}}'
        fast = "0+0x60" if fires else "0+60x60"
        buckets = (("1", fast), ("30", "0+60x60"), ("+Inf", "0+60x60"))
        inputs = [{"series": name.format(bound), "values": values} for bound, values in buckets]
    alert = {"eval_time": at, "alertname": rule["alert"]}
    return {"interval": "1m", "input_series": inputs, "promql_expr_test": [
        {
            "expr": f'count(ALERTS{{alertname="{rule["alert"]}",alertstate="firing"}}) or vector(0)',
            "eval_time": alert["eval_time"],
            "exp_samples": [{"labels": "{}", "value": 1 if fires else 0}],
        }
    ]}  # fmt: skip


def test_every_alert_fires_and_stays_silent(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on this machine: Debian's package prometheus has it")
    assert set(FIRES) == {rule["alert"] for rule in OURS}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "garim", "rules": OURS}]}))
    checks = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [check_of(rule, fires=fires) for rule in OURS for fires in (True, False)],
    }
    (tmp_path / "checks.yaml").write_text(yaml.safe_dump(checks))
    done = subprocess.run(
        [promtool, "test", "rules", "checks.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
