"""`garim bench`: figures of the running system, each beside a peer that was measured in the same run.

Real processes on this machine, mutual TLS on loopback, every commit synced. One module a bench, each a
function from a `Plan` to `Figure`s; `commands.BENCHES` lists them. A figure never stands alone where there is
something to compare it with, and says under which conditions it was made.
"""
