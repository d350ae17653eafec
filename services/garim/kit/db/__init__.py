"""The database of a service: SQLite in one file, or PostgreSQL, behind one interface.

Services see `Database.writing`, `Database.reading` and SQLAlchemy Core statements only; what differs between
the engines stands here: `sqlite`, `postgres`, `upsert`, and `rights` for who may do what on PostgreSQL.

Invariants:

- what was committed is durable: an engine that is set to acknowledge before it has synced is refused;
- a plain writing transaction is alone: no other one of the service runs beside it, in whatever process;
- errors of the place (full, gone, locked, damaged) become refusals with a reason, the same for both engines;
- no value of a row gets into an error.
"""

from garim.kit.db.database import Database
from garim.kit.db.place import Server
from garim.kit.db.upsert import insert_or_ignore, insert_or_ignore_returning, insert_or_replace

__all__ = ["Database", "Server", "insert_or_ignore", "insert_or_ignore_returning", "insert_or_replace"]
