from __future__ import annotations

import pytest

from garim.kit.identity import check_mesh, check_names, dns_name, parse_spiffe_id, service_id
from garim.statements.refusal import Kind, RefusedError

MESH = "test.mesh"


def test_each_kind_of_identity_is_read() -> None:
    custody = parse_spiffe_id("spiffe://test.mesh/service/custody", MESH)
    assert (custody.kind, custody.role, custody.name, custody.path) == (
        "service",
        "",
        "custody",
        "service/custody",
    )
    assert custody.id == service_id(MESH, "custody")
    lee = parse_spiffe_id("spiffe://test.mesh/person/custodian/lee", MESH)
    assert (lee.kind, lee.role, lee.name, lee.path) == ("person", "custodian", "lee", "person/custodian/lee")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "spiffe://test.mesh",
        "spiffe://test.mesh/",
        "spiffe://test.mesh/service",
        "spiffe://test.mesh/service/",
        "spiffe://test.mesh/service/a/b",
        "spiffe://test.mesh/person/lee",
        "spiffe://test.mesh/person//lee",
        "spiffe://test.mesh/person/custodian/lee/x",
        "spiffe://test.mesh/robot/a",
        "spiffe://test.mesh/service/A",
        "spiffe://test.mesh/service/..",
        "spiffe://test.mesh/service/a%2fb",
        "spiffe://test.mesh/service/커스터디",
        "spiffe://test.mesh/service/a?x",
        "SPIFFE://test.mesh/service/a",
        "https://test.mesh/service/a",
    ],
)
def test_what_is_no_identity_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="IDENTITY_INVALID") as caught:
        parse_spiffe_id(text, MESH)
    assert caught.value.kind is Kind.FORBIDDEN


@pytest.mark.parametrize("mesh", ["other", "test.mesh.evil", "TEST.MESH", "x@test.mesh", "test.mesh:1", ""])
def test_another_mesh_is_refused(mesh: str) -> None:
    with pytest.raises(RefusedError, match="IDENTITY_OTHER_MESH"):
        parse_spiffe_id(f"spiffe://{mesh}/service/custody", MESH)


def test_a_pattern_covers_whole_segments_only() -> None:
    lee = parse_spiffe_id("spiffe://test.mesh/person/custodian/lee", MESH)
    covered = [
        pattern
        for pattern in (
            "person/custodian",
            "person/custodian/lee",
            "person",
            "person/cust",
            "person/custodian/le",
            "person/custodian/lee/x",
            "custodian",
            "service/custodian",
            "",
        )
        if lee.matches(pattern)
    ]
    assert covered == ["person/custodian", "person/custodian/lee", "person"]


def test_names_below_the_meshs_own_domain_belong_to_one_service() -> None:
    custody = parse_spiffe_id("spiffe://test.mesh/service/custody", MESH)
    lee = parse_spiffe_id("spiffe://test.mesh/person/custodian/lee", MESH)
    check_names(custody, [dns_name(MESH, "custody"), "localhost", "custody.operator.example"])
    check_names(lee, ["localhost"])
    for peer, name in (
        (custody, dns_name(MESH, "audit")),
        (custody, dns_name("other.mesh", "custody")),
        (custody, f"*.{MESH}.garim.internal"),
        (custody, dns_name(MESH, "audit").upper() + "."),
        (lee, dns_name(MESH, "custody")),
        (lee, dns_name(MESH, "lee")),
    ):
        with pytest.raises(RefusedError, match="IDENTITY_NAMES_DISAGREE"):
            check_names(peer, [name])


@pytest.mark.parametrize("mesh", ["", "A", "a b", "-a", "a_b", "a..b", "a/b", "가림", "x" * 129])
def test_a_mesh_is_named_like_a_dns_domain(mesh: str) -> None:
    assert check_mesh("demo") == "demo"
    with pytest.raises(RefusedError, match="MESH_NAME"):
        check_mesh(mesh)
