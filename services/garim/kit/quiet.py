"""Imported before gRPC is: its core writes lines of its own to standard error, where only ours may stand."""

from __future__ import annotations

import os

# Read once, when gRPC is imported. What a peer says in a GOAWAY would be among those lines.
os.environ["GRPC_VERBOSITY"] = "NONE"
