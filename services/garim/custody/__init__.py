"""Key custody: keeps epoch, index and dossier keys, verifies everything itself, releases keys and identities.

Holds: the epochs' private and index keys, each dossier's private key (under Q, which nobody has, and under an
object of its own), preserved keys; all of them wrapped by objects of a key provider. Called by messages
(epochs), warrants (forecast tickets, second requests), redaction (tickets, keys, closing) and people
(decisions, freeze, governance). Calls audit (the log) and warrants (case status) only. It must never see a
message.

Invariants:

- it acts on no document that it has not verified itself, and on no grant whose scope it has not derived
  itself from that document and found equal, with its log proof and a fresh case status;
- a release is all or nothing, logged before it takes effect, and refused while frozen, after retention, after
  the dossier's close, or where the log's time and its own clock differ by two minutes;
- one document counts once; the same payload returns what it led to;
- the main process never opens a private key, a write secret or a derived key: a short-lived child does
  (`opener`), and answers ciphertext;
- a custodian's shares move to a successor by both people's signed decisions, logged first; nobody holds two
  places of one dossier, so k places stay k people (`transferring`);
- an identity opens with one whole subset's shares, whose holders still approve when the answer is stored;
  what stops a release acts until then, and on the stored answer afterwards;
- before anything opens, each start compares the log with the database: one that lost entries of its own was
  restored, is frozen, and catches up from the log before a quorum may thaw it (`restoring`, `reapplying`);
- what is destroyed is destroyed by destroying the provider object; unwrapping is then seen to fail.
"""

# Before anything imports gRPC, which reads the environment once.
from garim.kit import quiet as quiet
