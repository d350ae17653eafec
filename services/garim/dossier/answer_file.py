"""The answer to a second request: custody's signed identities with the logged release that covers them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.receipt import log_key, witness_keys
from garim.statements import dsse, strict_json
from garim.statements.governance import Governance
from garim.statements.receipts import DossierReceipt, IdentitiesReleased, UnmaskAnswer
from garim.statements.refusal import RefusedError
from garim.translog.proven import LogProof, verify_logged

FORMAT = "garim-answers/1"
RELEASED_ENTRY = "identities-released"


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """What the encrypted answer holds.

    Args:
        release: Exact bytes of the logged `IdentitiesReleased`.
        proof: Proof that custody logged it.
        answers: Custody's signed answers, one for each identity.
    """

    release: bytes
    proof: LogProof
    answers: tuple[dsse.Envelope, ...]

    def to_bytes(self) -> bytes:
        """Return the file's bytes, to be encrypted to the recipient."""
        return strict_json.dump(
            {
                "format": FORMAT,
                "release": base64.b64encode(self.release).decode(),
                "proof": self.proof.to_object(),
                "answers": [dsse.to_json(one) for one in self.answers],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> AnswerFile:
        """Read the decrypted file.

        Raises:
            RefusedError: `ANSWER_FORMAT` and those of its parts.
        """
        value = strict_json.parse_object(data)
        if value.keys() != {"format", "release", "proof", "answers"} or value["format"] != FORMAT:
            raise RefusedError("ANSWER_FORMAT", f"this is no {FORMAT} file")
        if not isinstance(value["answers"], list) or not isinstance(value["proof"], dict):
            raise RefusedError("ANSWER_FORMAT", "must be a list of answers with a proof", field="answers")
        try:
            release = base64.b64decode(value["release"], validate=True)
        except (TypeError, ValueError):
            raise RefusedError("ANSWER_FORMAT", "is not base64", field="release") from None
        answers = tuple(dsse.from_json(one) for one in value["answers"])
        return cls(release, LogProof.from_object(value["proof"]), answers)


def verify_answers(
    file: AnswerFile, sealed: Mapping[str, bytes], receipt: DossierReceipt, governance: Governance
) -> dict[str, OpenedIdentity]:
    """Return the released identities by pseudonym, each verified against package, release and log.

    Args:
        file: The decrypted answer.
        sealed: The package's sealed identities by pseudonym.
        receipt: The package's verified receipt.
        governance: The governance version in force, verified.

    Raises:
        RefusedError: `ANSWER_DOSSIER` (another dossier's), `ANSWER_RELEASE` (not what was logged),
            `ANSWER_IDENTITY` (not what was sealed), and those of the statements' and the log's verification.
    """
    verify_logged(
        file.release,
        file.proof,
        log_key=log_key(governance),
        origin=governance.log.origin,
        witnesses=witness_keys(governance),
        expect_type=RELEASED_ENTRY,
        expect_actor=f"spiffe://{governance.mesh}/service/custody",
    )
    release = IdentitiesReleased.from_bytes(file.release)
    if release.dossier != receipt.dossier or release.mesh != governance.mesh:
        raise RefusedError("ANSWER_DOSSIER", "the answer belongs to another dossier", field="dossier")
    logged = {one.pseudonym: one.sealed for one in release.identities}
    opened: dict[str, OpenedIdentity] = {}
    for envelope in file.answers:
        keys = governance.keys_of("custody")
        answer = UnmaskAnswer.verify(envelope, keys, mesh=governance.mesh, now=None)
        if (answer.request, answer.dossier) != (release.request, release.dossier) or logged.get(
            answer.pseudonym
        ) != answer.sealed:
            raise RefusedError("ANSWER_RELEASE", "the logged release does not cover an answer")
        known = sealed.get(answer.pseudonym)
        if known is None or hashlib.sha256(known).hexdigest() != answer.sealed:
            raise RefusedError("ANSWER_IDENTITY", "an answer is not about this package's sealed identity")
        value = strict_json.parse_object(base64.b64decode(answer.identity))
        opened[answer.pseudonym] = OpenedIdentity.from_object(value, governance.mesh)
    if opened.keys() != logged.keys():
        raise RefusedError("ANSWER_RELEASE", "the logged release covers other identities than the answers")
    return opened
