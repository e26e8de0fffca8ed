-- What the role of a site may do, all of it: it is a member of vetuste_site, and owns nothing.
-- Applied again whenever tables or the job engine's functions may have changed; it may be applied twice.
--
-- Rights are given by column, never by table: whoever has UPDATE or DELETE on a whole table may lock it, and
-- so halt every other site (https://www.postgresql.org/docs/current/sql-lock.html).

REVOKE ALL ON SCHEMA public, fleet, jobs FROM PUBLIC, vetuste_site;
REVOKE ALL ON ALL TABLES IN SCHEMA public, fleet, jobs FROM PUBLIC, vetuste_site;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public, fleet, jobs FROM PUBLIC, vetuste_site;
REVOKE ALL ON ALL ROUTINES IN SCHEMA public, fleet, jobs FROM PUBLIC, vetuste_site;
GRANT USAGE ON SCHEMA fleet, jobs TO vetuste_site;
DO $$ BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC, vetuste_site', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO vetuste_site', current_database());
END $$;

-- Our tables.

ALTER TABLE fleet.centre ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.sites ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.progress ENABLE ROW LEVEL SECURITY;

GRANT SELECT (version, schema) ON fleet.centre TO vetuste_site;
DROP POLICY IF EXISTS everybody ON fleet.centre;
CREATE POLICY everybody ON fleet.centre FOR SELECT TO vetuste_site USING (true);

GRANT SELECT (key, text, digest, signatures, paused) ON fleet.sites TO vetuste_site;
DROP POLICY IF EXISTS own ON fleet.sites;
CREATE POLICY own ON fleet.sites FOR SELECT TO vetuste_site USING (key = current_user);

GRANT SELECT (id, site, state, request, digest, chunks, untouchable, plan, scan) ON fleet.runs TO vetuste_site;
DROP POLICY IF EXISTS own ON fleet.runs;
CREATE POLICY own ON fleet.runs FOR SELECT TO vetuste_site USING (site = current_user);

GRANT SELECT (run, number, site, spans) ON fleet.chunks TO vetuste_site;
DROP POLICY IF EXISTS own ON fleet.chunks;
CREATE POLICY own ON fleet.chunks FOR SELECT TO vetuste_site USING (site = current_user);

-- One may be delivered for a job that this role holds, for that chunk, and seen to be there: not read again.
GRANT SELECT (run, number, site), INSERT (run, number, site, job, attempt, body)
  ON fleet.deliveries TO vetuste_site;
DROP POLICY IF EXISTS own ON fleet.deliveries;
CREATE POLICY own ON fleet.deliveries FOR SELECT TO vetuste_site USING (site = current_user);
DROP POLICY IF EXISTS held ON fleet.deliveries;
CREATE POLICY held ON fleet.deliveries FOR INSERT TO vetuste_site WITH CHECK (
  site = current_user AND EXISTS (
    SELECT FROM jobs.procrastinate_jobs AS held
    WHERE held.id = deliveries.job AND held.attempts = deliveries.attempt AND held.status = 'doing'
    AND held.queue_name = current_user
    AND held.args = jsonb_build_object('run', deliveries.run, 'number', deliveries.number)
  )
);

GRANT SELECT (run, number, site, visited, total, seen, attempts),
  INSERT (run, number, site, visited, total, seen, attempts), UPDATE (visited, total, seen, attempts) ON fleet.progress TO vetuste_site;
DROP POLICY IF EXISTS own ON fleet.progress;
CREATE POLICY own ON fleet.progress TO vetuste_site USING (site = current_user) WITH CHECK (site = current_user);

CREATE OR REPLACE FUNCTION fleet.by_the_server() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.at := now();
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS by_the_server ON fleet.progress;
CREATE TRIGGER by_the_server BEFORE INSERT OR UPDATE ON fleet.progress
  FOR EACH ROW EXECUTE FUNCTION fleet.by_the_server();

-- The job engine's tables. Its functions run with the rights of who calls them; those of its triggers, which
-- write events, run with the owner's from here on, so that nobody else may write any.

ALTER TABLE jobs.procrastinate_workers ADD COLUMN IF NOT EXISTS site text NOT NULL DEFAULT current_user;
CREATE INDEX IF NOT EXISTS fleet_jobs_run ON jobs.procrastinate_jobs (((args->>'run')::bigint));

DO $$
DECLARE
  found record;
  columns text;
BEGIN
  FOR found IN SELECT oid::regprocedure AS function, prorettype = 'trigger'::regtype AS triggered, proname
               FROM pg_proc WHERE pronamespace = 'jobs'::regnamespace LOOP
    IF found.triggered THEN
      EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = jobs, pg_temp', found.function);
    ELSIF found.proname ~ '^procrastinate_(fetch_job|finish_job|retry_job|register_worker|unregister_worker|update_heartbeat|prune_stalled_workers)_v\d+$' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO vetuste_site', found.function);
    END IF;
  END LOOP;
  FOR found IN SELECT oid FROM pg_class WHERE relnamespace = 'jobs'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', found.oid::regclass);
  END LOOP;
  -- Everybody may listen, and would hear of other sites' jobs: nobody is told, workers look by themselves.
  FOR found IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'jobs.procrastinate_jobs'::regclass
               AND NOT tgisinternal AND tgname ~ '_notify_' LOOP
    EXECUTE format('ALTER TABLE jobs.procrastinate_jobs DISABLE TRIGGER %I', found.tgname);
  END LOOP;
  SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
  WHERE attrelid = 'jobs.procrastinate_jobs'::regclass AND attnum > 0 AND NOT attisdropped;
  EXECUTE format('GRANT SELECT (%s) ON jobs.procrastinate_jobs TO vetuste_site', columns);
END $$;

-- Columns that its functions name when they change a job, even where they leave them as they are: the guard
-- below says what may really change.
GRANT UPDATE (status, attempts, worker_id, abort_requested, scheduled_at, priority, queue_name, lock)
  ON jobs.procrastinate_jobs TO vetuste_site;
DROP POLICY IF EXISTS seen ON jobs.procrastinate_jobs;
CREATE POLICY seen ON jobs.procrastinate_jobs FOR SELECT TO vetuste_site USING (queue_name = current_user);
DROP POLICY IF EXISTS taken ON jobs.procrastinate_jobs;
CREATE POLICY taken ON jobs.procrastinate_jobs FOR UPDATE TO vetuste_site
  USING (queue_name = current_user) WITH CHECK (queue_name = current_user);

GRANT SELECT (id, last_heartbeat, site), INSERT (last_heartbeat), UPDATE (last_heartbeat)
  ON jobs.procrastinate_workers TO vetuste_site;
DROP POLICY IF EXISTS own ON jobs.procrastinate_workers;
CREATE POLICY own ON jobs.procrastinate_workers TO vetuste_site
  USING (site = current_user) WITH CHECK (site = current_user);

-- A site takes jobs, finishes them and gives them back, and changes nothing else of them.
CREATE OR REPLACE FUNCTION fleet.guard_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  own CONSTANT text[] := '{status,attempts,worker_id,abort_requested}';
BEGIN
  IF NOT row_security_active(TG_RELID) THEN -- the owner
    RETURN NEW;
  END IF;
  NEW.scheduled_at := OLD.scheduled_at; -- a job that waits would keep its site from every other
  IF to_jsonb(NEW) - own = to_jsonb(OLD) - own AND NEW.abort_requested <= OLD.abort_requested THEN
    IF OLD.status = 'todo' AND NEW.status = 'doing' AND NEW.attempts = OLD.attempts AND EXISTS (
      SELECT FROM jobs.procrastinate_workers WHERE id = NEW.worker_id AND site = current_user
    ) THEN
      RETURN NEW;
    END IF;
    IF OLD.status = 'doing' AND NEW.worker_id IS NOT DISTINCT FROM OLD.worker_id
      AND (NEW.status IN ('succeeded', 'failed', 'aborted') OR NEW.status = 'todo' AND NEW.attempts < 100)
      AND (NEW.attempts = OLD.attempts + 1 OR NEW.status = 'failed' AND NEW.attempts = OLD.attempts) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE insufficient_privilege USING MESSAGE = 'a site takes its jobs and finishes them, and no more';
END $$;
DROP TRIGGER IF EXISTS fleet_guard_job ON jobs.procrastinate_jobs;
CREATE TRIGGER fleet_guard_job BEFORE UPDATE ON jobs.procrastinate_jobs
  FOR EACH ROW EXECUTE FUNCTION fleet.guard_job();

-- A sign of life is of now, and a site has few workers.
CREATE OR REPLACE FUNCTION fleet.guard_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF row_security_active(TG_RELID) THEN
    NEW.last_heartbeat := now();
    IF TG_OP = 'INSERT' AND (SELECT count(*) FROM jobs.procrastinate_workers WHERE site = current_user) >= 32 THEN
      RAISE insufficient_privilege USING MESSAGE = 'this site has too many workers';
    END IF;
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS fleet_guard_worker ON jobs.procrastinate_workers;
CREATE TRIGGER fleet_guard_worker BEFORE INSERT OR UPDATE ON jobs.procrastinate_workers
  FOR EACH ROW EXECUTE FUNCTION fleet.guard_worker();

-- Letting workers go takes DELETE, which no site has: these two do it with the owner's rights, each for the
-- workers of who logged in, and for all where that is the owner. Their names and results are Procrastinate's.
CREATE OR REPLACE FUNCTION fleet.may_let_go(whose text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT whose = session_user OR pg_has_role(session_user, relowner, 'MEMBER')
  FROM pg_class WHERE oid = 'jobs.procrastinate_workers'::regclass
$$;
CREATE OR REPLACE FUNCTION jobs.procrastinate_unregister_worker_v1(worker_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
BEGIN
  DELETE FROM procrastinate_workers AS gone WHERE gone.id = $1 AND fleet.may_let_go(gone.site);
END $$;
CREATE OR REPLACE FUNCTION jobs.procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat float)
RETURNS TABLE (worker_id bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
BEGIN
  RETURN QUERY DELETE FROM procrastinate_workers AS gone
  WHERE gone.last_heartbeat < now() - make_interval(secs => $1) AND fleet.may_let_go(gone.site)
  RETURNING gone.id;
END $$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA fleet FROM PUBLIC;
