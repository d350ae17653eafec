"""The contract of the five services as calls with known answers, to be made at any address.

Its RPCs and its table of callers are read from the descriptors; an RPC without cases of its own is a failure.
What the suite sends is either refused, or names ids and conversations that it has just drawn; cases that
store something are marked so and can be left out. It trusts nothing of the server but its certificate.

Invariants: no case needs another one before it; every expected reason is one of the catalogue in
protos/README.md.
"""
