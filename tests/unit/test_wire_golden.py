"""The bytes of the messages that other teams write and read never change: field numbers, types, order."""

from __future__ import annotations

import pytest
from google.protobuf import message

from garim.api.audit.v1 import audit_pb2
from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2 as pb
from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2

ENVELOPE = statement_pb2.Envelope(
    payload_type="t", payload=b"p", signatures=[statement_pb2.Signature(keyid="k", sig=b"s")]
)
PROOF = statement_pb2.LogProof(leaf=b"l", salt=b"s", index=1, path=[b"n"], checkpoint=b"c")
DOCUMENT = statement_pb2.Document(media_type="m", content=b"c", attachments=[b"a"])
CHAT = pb.ChatMessage(
    sent_at_ms=1,
    sender="s",
    kind=pb.MESSAGE_KIND_PHOTO,
    text="t",
    opaque=b"o",
    attachment=pb.Attachment(media_type="m", size=2, sha256=b"h"),
)
BATCH = pb.ConversationBatch(
    conversation_id="c",
    roster_digest=b"d",
    kind=pb.SEGMENT_KIND_MESSAGES,
    messages=[CHAT],
    block=b"b",
)
ROSTER = pb.Roster(
    conversation_id="c",
    title="t",
    members=[pb.Member(account="a", names=["n"], phones=["p"], emails=["e"])],
)

GOLDEN: dict[str, tuple[message.Message, str]] = {
    "append": (
        pb.AppendMessagesRequest(batch_id=b"i", conversations=[BATCH], resumable=True),
        ("0a016912240a016312016418012217080112017318022201742a016f32080a016d10021a01682a01621801"),
    ),
    "accepted": (
        pb.AppendMessagesResponse(accepted=pb.Accepted(epoch_id=b"e", received_at_ms=1)),
        "0a050a01651001",
    ),
    "unknown": (
        pb.AppendMessagesResponse(rosters_unknown=pb.RostersUnknown(positions=[0, 1])),
        "12040a020001",
    ),
    "before": (pb.AppendMessagesResponse(stored_before=pb.StoredBefore(messages=2)), "1a020802"),
    "rosters": (pb.PutRostersRequest(rosters=[ROSTER]), "0a140a01631201741a0c0a016112016e1a0170220165"),
    "digests": (pb.PutRostersResponse(digests=[b"d"]), "0a0164"),
    "document": (warrants_pb2.SubmitDocumentRequest(document=DOCUMENT), "0a090a016d1201631a0161"),
    "submitted": (
        warrants_pb2.SubmitDocumentResponse(
            case_id=b"c",
            state=warrants_pb2.CASE_STATE_REFUSED,
            reasons=[statement_pb2.Reason(reason="R", field="f", message="m")],
            no_data=ENVELOPE,
            unmask_request_id=b"u",
            refusal_id=b"r",
        ),
        "0a016310011a090a01521201661a016d220e0a01741201701a060a016b1201732a0175320172",
    ),
    "receipt": (
        redaction_pb2.FetchDossierResponse(
            receipt=statement_pb2.LoggedStatement(statement=ENVELOPE, proof=PROOF)
        ),
        "0a200a0e0a01741201701a060a016b120173120e0a016c120173180122016e2a0163",
    ),
    "chunk": (redaction_pb2.FetchDossierResponse(chunk=b"c"), "120163"),
    "collected": (custody_pb2.CollectIdentitiesResponse(answer=b"a"), "0a0161"),
    "entry": (
        audit_pb2.AppendEntryRequest(
            type="t",
            commitment=b"c",
            time_ms=1,
            magnitudes={"m": 2},
            sealed=b"s",
            pin=statement_pb2.Pin(size=3, root=b"r"),
        ),
        "0a0174120163180122050a016d10022a017332050803120172",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_bytes_on_the_wire_never_change(name: str) -> None:
    sent, expected = GOLDEN[name]
    assert sent.SerializeToString(deterministic=True).hex() == expected
    assert type(sent).FromString(bytes.fromhex(expected)) == sent
