-- Devices without a browser that ask to be let in (RFC 8628). Of both codes only hashes are kept; of the code
-- that people type a keyed one, because its bits could be tried out. Times are ms since the epoch.
CREATE TABLE device_requests (
  device_hash TEXT PRIMARY KEY,
  user_code_hash TEXT NOT NULL UNIQUE,
  client_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  interval_seconds INTEGER NOT NULL,
  polled_at INTEGER NOT NULL,
  -- What a person answered, once.
  answer TEXT CHECK (answer IN ('allowed', 'denied')),
  person_id TEXT,
  allowed_scope TEXT,
  -- When a client came for the answer, which it has not got yet.
  claimed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX device_requests_by_expiry ON device_requests (expires_at);
CREATE INDEX device_requests_by_person ON device_requests (person_id) WHERE person_id IS NOT NULL;

-- What may be done only so often, counted by who does it. The key is a person's id or a keyed hash.
CREATE TABLE attempts (
  slot TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_key ON attempts (kind, key, at);
CREATE INDEX attempts_by_time ON attempts (at);
