"""The transparency log: Merkle tree, checkpoints, entries and the proofs that somebody logged first.

Role: the audit service appends and proves with it; every other service, the committee's and the agencies'
tools verify with it, so that nothing that opens something takes effect unlogged, and nobody can show two
people two histories. A leaf carries a salted commitment only: a reader of the log learns that an actor did
something of a type at a time, never about whom.

Pure: no I/O, no clock, no randomness of its own. Invariants:

- hashes are those of RFC 6962 and RFC 9162; leaf and node hashes never collide (0x00 and 0x01 in front);
- a proof verifies in exactly one form: sizes, indexes and path lengths are checked before any hash;
- nothing inside a note is believed before the log's signature over its exact bytes has verified, and no
  checkpoint counts without every required witness;
- a leaf has one encoding; the bytes that travel are the bytes that are hashed;
- a pin only grows, and only along a proven consistency; anything else is a fork, not a warning.
"""
