"""Warrants: validates official documents, runs the review, issues grants and case status.

Holds: cases with their documents, the operator's policy, the key that signs grants, status and no-data
answers. Called by clerks (documents), agencies (HI1 messages, over the edge), reviewers (decisions),
redaction (cases), custody (case status). Calls custody (forecast tickets, second requests, revocations),
messages (forecasts) and audit (the log). It must never see a message, a content key or a bystander's
identity.

Invariants:

- a grant is never enough on its own: custody verifies the document again;
- a document counts once: its identity is (authority, number) and the digest of its payload, claimed by
  accepted documents only; the same payload returns the same case, another one under its number is refused;
- what opens something is in the log before it takes effect; what closes acts at once and is logged next;
- every change of a case is one serialised transaction that looks at the case again; cancelled is final;
- a body is durable before it is logged, and signed only when its log proof has been verified;
- refusals that rest on stored data carry one reason outward; what reviewers see, applicants do not;
- a policy file that governance does not pin judges nothing;
- an HI1 message takes effect as a whole, once, and shows and changes its sender's objects only.
"""

# Before anything imports gRPC, which reads the environment once.
from garim.kit import quiet as quiet
