"""Official documents: parse, verify, judge and (for rehearsal) draft and sign them.

Pure: no I/O, no clock, no randomness of its own; used by warrants *and* by custody, each for itself.
Invariants:

- a document counts only when two different people, with two different certificates and keys, signed the same
  payload bytes: one in the role `court`, one in the role `chief-investigator`, each bound by certificate;
- everything is verified before the payload is parsed; the payload is parsed from the verified bytes;
- its identity is (authority, number) and SHA-256 of its payload; envelope and signatures never count;
- an unknown, repeated or missing field, anywhere, is refused by name; all reasons of one stage come together;
- what cannot be checked (no revocation list, a stale one, no anchor) is refused;
- nothing here knows accounts, so no reason can tell whether one exists.
"""
