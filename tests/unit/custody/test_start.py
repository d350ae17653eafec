from __future__ import annotations

import dataclasses
import io
import json
from importlib import resources
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from custody_support.vault import MESH, POLICY, Vault, records_of
from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2 as pb
from garim.api.messages.v1 import messages_pb2
from garim.custody import genesis
from garim.custody.policy_file import PolicyFile
from garim.custody.servicer_dossiers import DossierRpcs, DossierUseCases
from garim.custody.settings import CustodySettings
from garim.kit.convert import document_to, envelope_to, logged_to
from garim.kit.db import Database
from garim.kit.governance_table import GovernanceTable
from garim.kit.migrations import upgrade
from garim.kit.settings import load_settings
from garim.kit.telemetry import Telemetry
from garim.sealing import hpke, released, segment
from garim.statements import dsse
from garim.statements.refusal import RefusedError
from garim.testing.audit import FakeAudit, FakeAuditCaller
from garim.testing.operator import ORIGIN
from garim.testing.records import Stored
from garim.translog.leaf import ZERO_SALT, commitment, parse_leaf

MIGRATIONS = Path(str(resources.files("garim.custody"))) / "migrations"


@dataclasses.dataclass
class Caller:
    """A gRPC context of a service's call."""

    service: str

    def auth_context(self) -> dict[str, list[bytes]]:
        """Return what the TLS layer found."""
        spiffe = f"spiffe://{MESH}/service/{self.service}".encode()
        return {"peer_uri": [spiffe], "peer_spiffe_id": [spiffe]}


def caller(service: str) -> grpc.ServicerContext:
    return cast("grpc.ServicerContext", Caller(service))


class Rpcs(DossierRpcs):
    """The RPCs of the first request alone."""


def rpcs(vault: Vault) -> Any:
    kind = cast("Any", Rpcs)
    return kind(MESH, DossierUseCases.of(vault.core))


def document_message(vault: Vault, request: Any) -> statement_pb2.Document:
    return document_to(request.received)


def test_the_whole_first_request_through_its_rpcs(vault: Vault) -> None:
    served = rpcs(vault)
    epochs = served.GetEpoch(pb.GetEpochRequest(), caller("messages")).epochs
    assert [len(one.index_key) for one in epochs] == [32, 32]
    made = vault.sample(vault.stored_epoch())
    assert bytes(epochs[0].epoch_id) == vault.stored_epoch().id
    vault.until_request()
    request = vault.request()
    document, grant = (
        document_message(vault, request),
        logged_to(request.grant.statement, request.grant.proof),
    )
    dossier = served.CreateDossierKey(
        pb.CreateDossierKeyRequest(document=document, grant=grant, forecast=envelope_to(request.forecast)),
        caller("redaction"),
    )
    for purpose, service in (
        (pb.TICKET_PURPOSE_FORECAST, "warrants"),
        (pb.TICKET_PURPOSE_READ, "redaction"),
    ):
        asked = pb.SignScopeTicketRequest(document=document, purpose=purpose, grant=grant)
        assert served.SignScopeTicket(asked, caller(service)).ticket.payload
    private, public = hpke.generate()
    answer = served.ReleaseSegmentKeys(release_request(dossier.dossier_id, public, made), caller("redaction"))
    digest = released.request_digest([made.roster], [made.header])
    keys = released.open_keys(answer.sealed_keys, private, MESH, dossier.dossier_id, digest, 2)
    assert segment.open_block(keys[1], made.header, made.ciphertext) == made.block
    closed = served.CloseDossier(
        pb.CloseDossierRequest(
            dossier_id=dossier.dossier_id,
            sealed_secret=bytes(1168),
            package_digest=bytes(32),
            identities_root=bytes(32),
            messages_root=bytes(32),
        ),
        caller("redaction"),
    )
    assert closed.receipt.statement.payload


def release_request(dossier_id: bytes, public: bytes, made: Stored) -> pb.ReleaseSegmentKeysRequest:
    records = records_of(made)
    return pb.ReleaseSegmentKeysRequest(
        dossier_id=dossier_id,
        attempt_public_key=public,
        write_secrets=[
            messages_pb2.WriteSecret(record=one.record, signature=one.signature, sealed=one.sealed)
            for one in records.write_secrets
        ],
        rosters=records.rosters,
        headers=records.headers,
    )


@pytest.mark.parametrize(
    ("purpose", "service"),
    [
        (pb.TICKET_PURPOSE_READ, "warrants"),
        (pb.TICKET_PURPOSE_PRESERVE, "warrants"),
        (pb.TICKET_PURPOSE_FORECAST, "redaction"),
        (pb.TICKET_PURPOSE_UNSPECIFIED, "redaction"),
    ],
)
def test_each_service_gets_its_own_tickets_alone(
    vault: Vault, purpose: pb.TicketPurpose.ValueType, service: str
) -> None:
    vault.until_request()
    request = vault.request()
    grant = logged_to(request.grant.statement, request.grant.proof)
    asked = pb.SignScopeTicketRequest(document=document_message(vault, request), purpose=purpose, grant=grant)
    with pytest.raises(RefusedError, match="TICKET_PURPOSE"):
        rpcs(vault).SignScopeTicket(asked, caller(service))


def own_governance(vault: Vault, folder: Path) -> tuple[genesis.OwnGovernance, Database]:
    database = Database(folder / "other.db")
    upgrade(database, MIGRATIONS)
    own = genesis.OwnGovernance(GovernanceTable(database), MESH, vault.operator.governance.genesis)
    return own, database


def write_genesis(vault: Vault, folder: Path) -> None:
    version = vault.operator.governance.versions[0]
    (folder / "version-1.json").write_bytes(version.document)
    decisions = [dsse.to_json(one) for one in version.decisions]
    (folder / "decisions-1.json").write_text(json.dumps(decisions))


def test_the_first_start_takes_version_1_from_its_files_and_keeps_it(vault: Vault, tmp_path: Path) -> None:
    own, database = own_governance(vault, tmp_path)
    with pytest.raises(RefusedError, match="GOVERNANCE_UNAVAILABLE"):
        own.current()
    write_genesis(vault, tmp_path)
    genesis.begin(own, tmp_path)
    assert own.current() == vault.operator.governance.current()
    (tmp_path / "version-1.json").unlink()
    again = genesis.OwnGovernance(GovernanceTable(database), MESH, vault.operator.governance.genesis)
    genesis.begin(again, tmp_path)
    assert again.height == 1
    database.close()


def test_a_version_1_that_the_settings_do_not_name_is_refused(vault: Vault, tmp_path: Path) -> None:
    own, database = own_governance(vault, tmp_path)
    write_genesis(vault, tmp_path)
    document = (tmp_path / "version-1.json").read_bytes()
    (tmp_path / "version-1.json").write_bytes(document.replace(b'"quorum":2', b'"quorum":1'))
    with pytest.raises(RefusedError, match="GOVERNANCE_GENESIS"):
        genesis.begin(own, tmp_path)
    (tmp_path / "version-1.json").write_bytes(document)
    (tmp_path / "decisions-1.json").write_text("[]")
    with pytest.raises(RefusedError, match="GOVERNANCE_QUORUM"):
        genesis.begin(own, tmp_path)
    (tmp_path / "decisions-1.json").write_text("{")
    with pytest.raises(RefusedError, match="GOVERNANCE_FILE"):
        genesis.begin(own, tmp_path)
    database.close()


def test_custody_begins_an_empty_log_with_its_governance(vault: Vault, tmp_path: Path) -> None:
    operator = vault.operator
    own, database = own_governance(vault, tmp_path)
    write_genesis(vault, tmp_path)
    genesis.begin(own, tmp_path)
    empty = FakeAudit(MESH, ORIGIN, vault.clock, key=operator.audit.key)
    vault.audit.audit = empty
    beginning = genesis.LogBeginning(
        vault.ledger, own, Telemetry("custody", vault.clock, stream=io.StringIO())
    )
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        beginning.check()
    beginning.attempt()
    beginning.check()
    leaf = parse_leaf(empty.leaves[0])
    assert leaf.type == "genesis"
    assert leaf.commitment == commitment(ZERO_SALT, operator.governance.versions[0].document)
    database.close()
    assert isinstance(vault.audit, FakeAuditCaller)


def test_the_policy_file_is_read_anew_when_it_changes() -> None:
    data = [POLICY]
    policy = PolicyFile(lambda: data[0])
    first = policy()
    assert policy() is first
    data[0] = POLICY.replace(b"bystanders_over: 100", b"bystanders_over: 50")
    assert policy().digest != first.digest


def test_settings_refuse_an_unknown_key(tmp_path: Path) -> None:
    path = tmp_path / "custody.toml"
    path.write_text('mesh = "test.mesh"\nkeys_folder = "keys"\n')
    with pytest.raises(RefusedError) as caught:
        load_settings(path, CustodySettings)
    reasons = {one.reason for one in caught.value.reasons}  # type: ignore[attr-defined] # several at once
    assert reasons == {"SETTING_UNKNOWN", "SETTING_MISSING"}
