-- The centre's tables: what is planned, what is asked of sites, what they delivered. Times are the server's.

CREATE TABLE fleet.centre (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  version text NOT NULL, -- of the program; workers of another one take nothing
  schema integer NOT NULL -- of these tables
);

CREATE TABLE fleet.sites (
  key text PRIMARY KEY CHECK (key ~ '^[a-z][a-z0-9_]{0,30}$'), -- its role, and its queue
  name text NOT NULL UNIQUE, -- as its file has it: the inventory knows machines by it
  text bytea NOT NULL,
  digest text NOT NULL,
  signatures jsonb NOT NULL DEFAULT '{}',
  paused boolean NOT NULL DEFAULT false,
  changed timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE fleet.plans (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  site text NOT NULL REFERENCES fleet.sites,
  every text NOT NULL,
  zone text NOT NULL,
  request jsonb NOT NULL,
  paused boolean NOT NULL DEFAULT false,
  since timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE fleet.runs (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  site text NOT NULL REFERENCES fleet.sites,
  plan bigint REFERENCES fleet.plans ON DELETE SET NULL,
  state text NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'running', 'paused', 'cancelled', 'done', 'failed')),
  request jsonb NOT NULL,
  digest text NOT NULL,
  chunks integer NOT NULL CHECK (chunks >= 0),
  untouchable jsonb NOT NULL DEFAULT '[]',
  scan bigint,
  asked timestamptz NOT NULL DEFAULT now(),
  started timestamptz,
  ended timestamptz,
  says text NOT NULL DEFAULT '',
  UNIQUE (id, site)
);
CREATE INDEX runs_open ON fleet.runs (site) WHERE state IN ('queued', 'running', 'paused');

CREATE TABLE fleet.chunks (
  run bigint NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  site text NOT NULL,
  spans jsonb NOT NULL,
  PRIMARY KEY (run, number),
  UNIQUE (run, number, site),
  FOREIGN KEY (run, site) REFERENCES fleet.runs (id, site) ON DELETE CASCADE
);

CREATE TABLE fleet.deliveries (
  run bigint NOT NULL,
  number integer NOT NULL,
  site text NOT NULL,
  job bigint NOT NULL,
  attempt integer NOT NULL,
  sent timestamptz NOT NULL DEFAULT now(),
  body bytea CHECK (octet_length(body) <= 16777216),
  taken timestamptz,
  PRIMARY KEY (run, number), -- recorded once, however often it is delivered
  FOREIGN KEY (run, number, site) REFERENCES fleet.chunks (run, number, site) ON DELETE CASCADE,
  CHECK (body IS NOT NULL OR taken IS NOT NULL)
);
ALTER TABLE fleet.deliveries ALTER COLUMN body SET STORAGE EXTERNAL; -- it comes compressed
CREATE INDEX deliveries_untaken ON fleet.deliveries (sent) WHERE taken IS NULL;

CREATE TABLE fleet.progress (
  run bigint NOT NULL,
  number integer NOT NULL,
  site text NOT NULL,
  visited integer NOT NULL CHECK (visited >= 0),
  total integer NOT NULL CHECK (total >= 0),
  seen integer NOT NULL CHECK (seen >= 0),
  attempts bigint NOT NULL CHECK (attempts >= 0),
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, number),
  FOREIGN KEY (run, number, site) REFERENCES fleet.chunks (run, number, site) ON DELETE CASCADE
);
