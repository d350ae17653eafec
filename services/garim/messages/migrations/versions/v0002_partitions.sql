-- What the runtime role may not do itself, as functions of the owner: open and drop partitions.

CREATE SEQUENCE partitions AS integer;

CREATE SCHEMA spread;

-- Which server holds which share of the buckets: filled in by the operator; empty where one server holds all.
CREATE TABLE spread.shards (
    remainder integer PRIMARY KEY,
    server text NOT NULL
);

-- What a coordinating server asks of this one, as rows that it inserts through its foreign tables.
CREATE TABLE spread.orders (
    partition integer NOT NULL,
    opened boolean NOT NULL
);

CREATE FUNCTION make_partition(wanted integer) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    child text;
    shard record;
    modulus integer := (SELECT count(*) FROM spread.shards);
BEGIN
    FOR shard IN SELECT * FROM spread.shards LOOP
        EXECUTE format('INSERT INTO spread.%I VALUES ($1, true)', 'orders_' || shard.remainder) USING wanted;
    END LOOP;
    FOREACH parent IN ARRAY ARRAY['write_secrets', 'batches', 'parts', 'segments', 'rosters', 'member_tags',
                                  'conversations', 'account_nodes'] LOOP
        child := parent || '_' || wanted;
        IF modulus > 0 AND parent IN ('parts', 'segments', 'rosters', 'member_tags', 'conversations') THEN
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) PARTITION BY HASH (bucket)', child, parent);
            FOR shard IN SELECT * FROM spread.shards LOOP
                EXECUTE format('CREATE FOREIGN TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)'
                    ' SERVER %I OPTIONS (schema_name ''public'', table_name %L)',
                    child || '_' || shard.remainder, child, modulus, shard.remainder, shard.server, child);
            END LOOP;
        ELSE
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
            CASE parent
                WHEN 'write_secrets' THEN
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (writer, number)', child);
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (secret)', child);
                WHEN 'batches' THEN
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (number)', child);
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (producer, batch)', child);
                WHEN 'parts' THEN
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (batch, bucket)', child);
                WHEN 'segments' THEN
                    EXECUTE format('CREATE INDEX ON %I (roster, batch)', child);
                WHEN 'rosters' THEN
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (number)', child);
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (asking)', child);
                    EXECUTE format('CREATE INDEX ON %I (tag)', child);
                WHEN 'member_tags' THEN
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (tag, roster)', child);
                WHEN 'conversations' THEN
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (tag)', child);
                WHEN 'account_nodes' THEN
                    EXECUTE format('CREATE UNIQUE INDEX ON %I (level, position)', child);
            END CASE;
        END IF;
        -- Attached, not created in place: those who store and read meanwhile are not held up.
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', parent, child, wanted);
    END LOOP;
    EXECUTE format('CREATE SEQUENCE %I AS integer', 'numbers_' || wanted);
END $$;

CREATE FUNCTION unmake_partition(unwanted integer) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    shard record;
BEGIN
    FOREACH parent IN ARRAY ARRAY['write_secrets', 'batches', 'parts', 'segments', 'rosters', 'member_tags',
                                  'conversations', 'account_nodes'] LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', parent || '_' || unwanted);
    END LOOP;
    EXECUTE format('DROP SEQUENCE IF EXISTS %I', 'numbers_' || unwanted);
    FOR shard IN SELECT * FROM spread.shards LOOP
        EXECUTE format('INSERT INTO spread.%I VALUES ($1, false)', 'orders_' || shard.remainder) USING unwanted;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION make_partition(integer), unmake_partition(integer) FROM PUBLIC;

CREATE FUNCTION follow_order() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    given record;
BEGIN
    IF NEW.opened THEN
        PERFORM make_partition(NEW.partition);
        -- The coordinating server names the partition itself: what its role may do to the table, it may there.
        FOR given IN
            SELECT c.relname, r.rolname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a, pg_roles r
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'p' AND r.oid = a.grantee
                AND a.grantee <> c.relowner
        LOOP
            EXECUTE format('GRANT %s ON %I TO %I', given.privilege_type, given.relname || '_' || NEW.partition,
                given.rolname);
        END LOOP;
    ELSE
        PERFORM unmake_partition(NEW.partition);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER follow_order BEFORE INSERT ON spread.orders FOR EACH ROW EXECUTE FUNCTION follow_order();

CREATE FUNCTION open_partition() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wanted integer := nextval('partitions');
BEGIN
    PERFORM make_partition(wanted);
    RETURN wanted;
END $$;

CREATE FUNCTION drop_partition(unwanted integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM epochs WHERE partition = unwanted) THEN
        RAISE EXCEPTION 'the rows of an epoch lie in this partition' USING ERRCODE = '42501';
    END IF;
    PERFORM unmake_partition(unwanted);
END $$;

CREATE FUNCTION next_number(here integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT nextval(quote_ident('numbers_' || here))::integer $$;

CREATE FUNCTION forget_orders(of_epoch integer, ended bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ DELETE FROM preserved WHERE epoch = of_epoch AND until <= ended
    AND until <= extract(epoch FROM clock_timestamp()) * 1000 $$;

-- An epoch's rows leave their partition only behind its retention, by this server's clock, and once its account
-- is logged; all that is left of them only when no order preserves them any more.
CREATE FUNCTION keep_retained() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    now_ms bigint := extract(epoch FROM clock_timestamp()) * 1000;
BEGIN
    IF NEW.partition IS NOT DISTINCT FROM OLD.partition AND NEW.dropped = OLD.dropped THEN
        RETURN NEW;
    END IF;
    IF OLD.envelope IS NULL OR OLD.ended = 0 OR OLD.not_after + OLD.retention > now_ms THEN
        RAISE EXCEPTION 'the retention of this epoch is not over' USING ERRCODE = '42501';
    END IF;
    IF NEW.partition IS NULL AND EXISTS (
        SELECT FROM preserved WHERE epoch = OLD.number AND until > now_ms
    ) THEN
        RAISE EXCEPTION 'an order preserves rows of this epoch' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_retained BEFORE UPDATE ON epochs FOR EACH ROW EXECUTE FUNCTION keep_retained();
