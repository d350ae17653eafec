"""The message store: takes messages in, hands out what a scope ticket matches, forgets.

Holds encrypted segments and a blinded index; in memory the current write secret W (at most 60 s) and the
index keys K of the current and the next epoch. Called by chat back ends (append, rosters), warrants
(forecast) and redaction (read). It must never see a document, a subject's identifier, a private key of an
epoch, or keep a message's text, a name or a number in readable form. Invariants:

- what is acknowledged is durable, with the record of the W it was sealed under; a batch is stored once or
  not at all;
- a copy of the database names nobody and links nobody across epochs; digests of readable content are kept
  only as HMAC under a key that is not in it;
- W is overwritten at its end on the monotonic clock, K at its epoch's end;
- nothing is read but what custody's signed ticket matches, as it stood when the call began; no call waits for
  messages;
- a closed epoch's segments are accounted for in the log, so that a planted or missing one shows.
"""

# Before anything imports gRPC, which reads the environment once.
from garim.kit import quiet as quiet
