"""What every service of the mesh needs; the kit knows no service.

Invariants:

- nothing is served or called without mutual TLS, except health on its own plaintext port;
- who may call an RPC is data beside the RPC (`garim.api.common.v1.access`); what is not listed is refused,
  and refused calls are reported;
- a server does not start with an RPC without rule, an unknown setting, an empty trust store or a key file
  that others may read;
- every call has a deadline, and a callee leaves itself time to report;
- domain refusals become statuses in one place; other errors leave only an incident number;
- logs, traces and counters take listed keys and plain tokens, so that no content can get into them.
"""
