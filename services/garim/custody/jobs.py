"""What the opener is asked to do, and what it answers: values that hold ciphertext and public data only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Message(BaseModel):
    """A job or an answer: closed, frozen, JSON with bytes in base64."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    def encode(self) -> bytes:
        """Return the JSON bytes."""
        return self.model_dump_json().encode()


class Wrapped(Message):
    """Something under a provider object.

    Attributes:
        kind: Kind of the object.
        id: Its id.
        wrapped: What the provider answered.
    """

    kind: str
    id: str
    wrapped: bytes


class MakeEpoch(Message):
    """Make an epoch's key pair and index key under its object."""

    job: Literal["make-epoch"] = "make-epoch"
    mesh: str
    id: str


class EpochMade(Message):
    """Answer of `MakeEpoch`."""

    public: bytes
    private: bytes
    index: bytes


class MakeRecoveryKey(Message):
    """Make the key pair to which log bodies are sealed."""

    job: Literal["make-recovery-key"] = "make-recovery-key"
    mesh: str
    id: str


class RecoveryKeyMade(Message):
    """Answer of `MakeRecoveryKey`."""

    public: bytes
    private: bytes


class NamedSubject(Message):
    """An identifier to be blinded."""

    kind: str
    value: str


class BlindSubjects(Message):
    """Blind a document's subjects with one epoch's index key."""

    job: Literal["blind-subjects"] = "blind-subjects"
    mesh: str
    index: Wrapped
    subjects: tuple[NamedSubject, ...]


class Tags(Message):
    """Answer of `BlindSubjects` and `OpenTags`: one tag for each subject, in order."""

    tags: tuple[bytes, ...]


class MakeDossier(Message):
    """Make a dossier's key pair, split the key that wraps it, forget that key."""

    job: Literal["make-dossier"] = "make-dossier"
    mesh: str
    id: str
    dossier: bytes
    custodians: dict[str, bytes]
    quorum: int
    fresh: bytes


class Share(Message):
    """One custodian's sealed share for one subset."""

    subset: tuple[str, ...]
    custodian: str
    sealed: bytes
    digest: bytes


class DossierMade(Message):
    """Answer of `MakeDossier`."""

    public: bytes
    private: bytes
    shares: tuple[Share, ...]


class OpenedFrom(Message):
    """A write secret and the epoch key that opens it."""

    epoch: int
    record: bytes
    sealed: bytes


class KeptBatch(Message):
    """A batch of keys kept under a preservation order."""

    order: Wrapped
    batch: bytes
    kept: bytes


class Wanted(Message):
    """One key that is wanted.

    Attributes:
        source: `secret`: derive it from a write secret; `kept`: take it from a batch.
        number: Which write secret or batch.
        position: Which key of the batch.
        kind: Roster or segment.
        data: The encoded plain part or header that the key is derived for.
    """

    source: Literal["secret", "kept"]
    number: int
    position: int = 0
    kind: Literal["roster", "segment"]
    data: bytes = b""


class KeySources(Message):
    """Where keys come from, and which are wanted."""

    epochs: tuple[Wrapped, ...]
    secrets: tuple[OpenedFrom, ...]
    batches: tuple[KeptBatch, ...] = ()
    wanted: tuple[Wanted, ...]


class ReleaseKeys(Message):
    """Derive keys and seal them to an attempt."""

    job: Literal["release-keys"] = "release-keys"
    mesh: str
    dossier: bytes
    digest: bytes
    attempt: bytes
    sources: KeySources


class Sealed(Message):
    """Answer of `ReleaseKeys`, `MakeOrder`, `KeepKeys` and `KeepTags`."""

    sealed: bytes


class MakeOrder(Message):
    """Make a preservation order's key under its object."""

    job: Literal["make-order"] = "make-order"
    mesh: str
    id: str


class KeepKeys(Message):
    """Derive keys and keep them under an order's key."""

    job: Literal["keep-keys"] = "keep-keys"
    mesh: str
    order: Wrapped
    batch: bytes
    sources: KeySources


class KeepTags(Message):
    """Keep an epoch's tags under an order's key."""

    job: Literal["keep-tags"] = "keep-tags"
    mesh: str
    order: Wrapped
    epoch: bytes
    tags: tuple[bytes, ...]


class OpenTags(Message):
    """Open an epoch's tags that an order keeps."""

    job: Literal["open-tags"] = "open-tags"
    mesh: str
    order: Wrapped
    epoch: bytes
    kept: bytes


class MakeRequestKey(Message):
    """Make an unmask request's one-time key pair under its object."""

    job: Literal["make-request-key"] = "make-request-key"
    mesh: str
    id: str


class RequestKeyMade(Message):
    """Answer of `MakeRequestKey`."""

    public: bytes
    private: bytes


class CheckShares(Message):
    """Open re-sealed shares with the request's key and compare each with its digest."""

    job: Literal["check-shares"] = "check-shares"
    mesh: str
    request: Wrapped
    request_id: bytes
    dossier: bytes
    shares: tuple[Share, ...]


class SharesRight(Message):
    """Answer of `CheckShares`."""


class SealedIdentity(Message):
    """An identity that is to be opened."""

    pseudonym: str
    sealed: bytes


class OpenIdentities(Message):
    """Rebuild Q from one subset's shares, open the dossier's key, its secret and the named identities."""

    job: Literal["open-identities"] = "open-identities"
    mesh: str
    request: Wrapped
    request_id: bytes
    dossier_key: Wrapped
    dossier: bytes
    grant: bytes
    sealed_secret: bytes
    shares: tuple[Share, ...]
    identities: tuple[SealedIdentity, ...]


class IdentitiesOpened(Message):
    """Answer of `OpenIdentities`: the identities in order, on their way to the recipient alone."""

    identities: tuple[bytes, ...]


class SealedBody(Message):
    """A log entry's body as it was sealed to the recovery key.

    Attributes:
        kind: Type of the entry, to which it is bound.
        sealed: As it stands in the leaf.
    """

    kind: str
    sealed: bytes


class OpenLogBodies(Message):
    """Open the bodies of custody's own log entries, for a restored database."""

    job: Literal["open-log-bodies"] = "open-log-bodies"
    mesh: str
    key: Wrapped
    bodies: tuple[SealedBody, ...]


class LogBodiesOpened(Message):
    """Answer of `OpenLogBodies`: what custody had signed, in order."""

    signed: tuple[bytes, ...]


Job = Annotated[
    MakeEpoch
    | MakeRecoveryKey
    | BlindSubjects
    | MakeDossier
    | ReleaseKeys
    | MakeOrder
    | KeepKeys
    | KeepTags
    | OpenTags
    | MakeRequestKey
    | CheckShares
    | OpenIdentities
    | OpenLogBodies,
    Field(discriminator="job"),
]

JOBS: TypeAdapter[Job] = TypeAdapter(Job)
