-- What PostgreSQL lets everybody do, and no site needs: to fill the disk with large objects and log messages,
-- and to hold advisory locks, by which the inventory's writers wait for each other. Only an administrator of
-- the server can take that away; the owner of the database keeps it.

DO $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT p.oid::regprocedure AS function, d.datdba::regrole AS owner FROM pg_proc p, pg_database d
    WHERE d.datname = current_database() AND p.pronamespace = 'pg_catalog'::regnamespace
    AND (p.proname ~ '^pg_(try_)?advisory_'
      OR p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'pg_logical_emit_message'))
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', found.function);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', found.function, found.owner);
  END LOOP;
END $$;
