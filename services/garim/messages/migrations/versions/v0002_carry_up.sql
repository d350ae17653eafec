-- SQLite: what 0.1.0 stored, in the new tables; batches follow one by one.
INSERT INTO epochs (number, epoch, not_before, not_after, partition, ended, leaves, payload, envelope, proof, dropped)
    SELECT number, epoch, not_before, not_after, CASE WHEN dropped = 0 OR EXISTS (SELECT 1
    FROM old_conversations c
    WHERE c.epoch = e.number) THEN number END, ended, leaves, payload, envelope, proof, dropped
    FROM old_epochs e;

INSERT INTO write_secrets
    SELECT epoch, zeroblob(8), number, secret, record, signature, sealed
    FROM old_write_secrets;

INSERT INTO rosters
    SELECT r.epoch, 0, r.number, c.tag, r.asking, r.digest, r.record
    FROM old_rosters r
    JOIN old_conversations c ON c.number = r.conversation;

INSERT INTO member_tags
    SELECT epoch, tag, 0, roster
    FROM old_member_tags;

INSERT INTO conversations
    SELECT epoch, 0, tag, segments, account, place, headers
    FROM old_conversations
    WHERE place IS NOT NULL;

INSERT INTO account_nodes
    SELECT epoch, level, position, hash
    FROM old_account_nodes;

INSERT INTO preserved
    SELECT p.document, p.epoch, 0, r.number, p.until, p.sent_start, p.sent_end, p.received_until
    FROM old_preserved p
    JOIN old_rosters r ON r.conversation = p.conversation;
