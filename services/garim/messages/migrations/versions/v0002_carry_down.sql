-- SQLite: what is in the new tables, in those of 0.1.0; batches follow one by one.
INSERT INTO epochs
    SELECT number, epoch, not_before, not_after, ended, leaves, payload, envelope, proof, dropped
    FROM new_epochs;

INSERT INTO write_secrets (epoch, secret, record, signature, sealed)
    SELECT e.number, w.secret, w.record, w.signature, w.sealed
    FROM new_write_secrets w
    JOIN new_epochs e ON e.partition = w.partition
    ORDER BY e.number, w.writer, w.number;

INSERT INTO conversations (epoch, tag, segments, account, place, headers)
    SELECT DISTINCT e.number, r.tag, c.segments, c.account, c.place, c.headers
    FROM new_rosters r
    JOIN new_epochs e ON e.partition = r.partition
    LEFT JOIN new_conversations c ON c.partition = r.partition AND c.bucket = r.bucket AND c.tag = r.tag
    ORDER BY e.number, r.tag;

INSERT INTO rosters (epoch, conversation, asking, digest, record)
    SELECT e.number, c.number, r.asking, r.digest, r.record
    FROM new_rosters r
    JOIN new_epochs e ON e.partition = r.partition
    JOIN conversations c ON c.epoch = e.number AND c.tag = r.tag
    ORDER BY e.number, r.bucket, r.number;

CREATE TEMP TABLE roster_numbers AS
    SELECT r.partition, r.bucket, r.number AS was, o.number, o.conversation
    FROM new_rosters r
    JOIN new_epochs e ON e.partition = r.partition
    JOIN rosters o ON o.epoch = e.number AND o.asking = r.asking;

CREATE UNIQUE INDEX temp.roster_number ON roster_numbers (partition, bucket, was);

INSERT INTO member_tags
    SELECT e.number, m.tag, n.number
    FROM new_member_tags m
    JOIN new_epochs e ON e.partition = m.partition
    JOIN roster_numbers n ON n.partition = m.partition AND n.bucket = m.bucket AND n.was = m.roster;

INSERT INTO batch_ids
    SELECT b.producer, b.batch, e.number, b.received, b.digest
    FROM new_batches b
    JOIN new_epochs e ON e.partition = b.partition
    WHERE b.producer <> '';

INSERT INTO account_nodes
    SELECT e.number, a.level, a.position, a.hash
    FROM new_account_nodes a
    JOIN new_epochs e ON e.partition = a.partition;

INSERT OR IGNORE INTO preserved
    SELECT p.document, n.conversation, p.epoch, p.until, p.sent_start, p.sent_end, p.received_until
    FROM new_preserved p
    JOIN new_epochs e ON e.number = p.epoch
    JOIN roster_numbers n ON n.partition = e.partition AND n.bucket = p.bucket AND n.was = p.roster;
