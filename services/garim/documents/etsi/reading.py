"""Reading answers, as an agency's tool does: what became of each action."""

from __future__ import annotations

import dataclasses

from garim.documents.etsi import names
from garim.documents.etsi.message import Header, read_header
from garim.documents.etsi.names import core, local
from garim.documents.etsi.parsing import elements_of, parse, tree_of
from garim.documents.etsi.trees import MAX_BYTES, Node, find
from garim.statements.refusal import RefusedError

_STATUS = ("AuthorisationStatus", "DocumentStatus", "Status")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What an answer says of one action, or of one object in a list.

    Attributes:
        action: Number of the action; None where the whole message was refused.
        said: `CREATEResponse`, `GETResponse`, `ListResponseRecord` and so on, or `ErrorInformation`.
        object_type: Type of the object.
        identifier: Its identifier.
        generation: Which version of it.
        status: Where it stands.
        code: Error code; 0 where the action was carried out.
        description: Why it was not, or why the object stands there.
    """

    action: int | None
    said: str
    object_type: str = ""
    identifier: str = ""
    generation: str = ""
    status: str = ""
    code: int = 0
    description: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """An answer; nobody vouches for it but the connection that it came over.

    Attributes:
        header: Its header.
        results: What became of each action.
    """

    header: Header
    results: tuple[Result, ...]

    @property
    def failed(self) -> bool:
        """Whether anything was refused."""
        return any(one.code for one in self.results)


def read_answer(data: bytes) -> Answer:
    """Read an answer.

    Args:
        data: The message.

    Raises:
        RefusedError: `HI1_UNKNOWN` (no answer), and those of `parsing.parse` and `read_header`.
    """
    root = parse(data)
    parts = {str(one.tag): one for one in elements_of(root)}
    payload = next(elements_of(parts[core("Payload")]), None) if core("Payload") in parts else None
    if root.tag != names.HI1 or core("Header") not in parts or payload is None or payload.tag != _ANSWER:
        raise RefusedError("HI1_UNKNOWN", "not an answer to an HI1 message")
    tree = tree_of(payload, max_text=MAX_BYTES)
    whole = find(tree, "ErrorInformation")
    results = [_failure(None, whole)] if whole is not None else []
    answered = find(tree, "ActionResponses")
    for one in answered.children if answered is not None else ():
        results += _results(one)
    return Answer(read_header(tree_of(parts[core("Header")])), tuple(results))


_ANSWER = core("ResponsePayload")


def _results(response: Node) -> list[Result]:
    number = int(_text(response, "ActionIdentifier") or "0")
    inside = response.children[-1]
    said = local(inside.tag)
    if said == "ErrorInformation":
        return [_failure(number, inside)]
    if said == "LISTResponse":
        return [
            Result(
                number,
                local(one.tag),
                _text(one, "ObjectType", "Value"),
                _text(one, "Identifier"),
                _text(one, "Generation"),
            )
            for one in inside.children
        ]
    subject = find(inside, "HI1Object")
    if subject is None:
        return [Result(number, said, identifier=_text(inside, "Identifier"))]
    status = next((value for name in _STATUS if (value := _text(subject, name, "Value"))), "")
    return [
        Result(
            number,
            said,
            local(subject.kind),
            _text(subject, "ObjectIdentifier"),
            _text(subject, "Generation"),
            status,
            description=_text(subject, "StatusReason", "ErrorDescription"),
        )
    ]


def _failure(number: int | None, failure: Node) -> Result:
    code = int(_text(failure, "ErrorCode") or "0")
    return Result(number, "ErrorInformation", code=code, description=_text(failure, "ErrorDescription"))


def _text(node: Node, *path: str) -> str:
    found = find(node, *path)
    return found.text.strip() if found is not None else ""
