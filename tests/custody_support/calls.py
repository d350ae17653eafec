"""gRPC contexts of people's calls."""

from __future__ import annotations

import dataclasses
from typing import cast

import grpc

from custody_support.vault import MESH


@dataclasses.dataclass
class Caller:
    """A gRPC context of a person's call."""

    person: str

    def auth_context(self) -> dict[str, list[bytes]]:
        """Return what the TLS layer found."""
        spiffe = f"spiffe://{MESH}/person/{self.person}".encode()
        return {"peer_uri": [spiffe], "peer_spiffe_id": [spiffe]}


def caller(person: str) -> grpc.ServicerContext:
    """Return the context of a call by `ROLE/NAME`."""
    return cast("grpc.ServicerContext", Caller(person))
