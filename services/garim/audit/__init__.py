"""The transparency log: one append-only Merkle tree of commitments, and its signed checkpoints.

Role: appends what services are about to do and proves it to all. It holds the tree and the key that signs
checkpoints. Every service calls it; auditors, custodians and other people of the operator read it. It
must never see a body or a salt in clear: a leaf says that an actor did something of a type at a time, never
about whom.

Invariants:

- the actor of a leaf comes from the caller's certificate, its time from the caller, within two minutes of the
  log's own clock and never before the leaf before it;
- a leaf and the nodes above it are written in one serialised transaction, and a checkpoint is signed only
  after that: what is signed is stored;
- nothing stored is changed or deleted; one actor, type and commitment is one leaf;
- a caller whose pin is not in the tree is refused, and after a start nothing is appended before the services
  that keep the largest pins have shown theirs: a restored log cannot fork unnoticed;
- an empty log begins with custody's genesis over the governance that settings name, and with nothing else;
- where settings name witnesses, no checkpoint is shown that all of them have not cosigned.
"""

# Before anything imports gRPC, which reads the environment once.
from garim.kit import quiet as quiet
