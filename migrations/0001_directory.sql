-- The directory: what the deployment must know across people. Times are ms since the epoch.

CREATE TABLE persons (
  id TEXT PRIMARY KEY,
  email TEXT,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'auditor')),
  disabled_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who vouches for a person. The subject is whatever the provider never gives to somebody else.
CREATE TABLE identities (
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  person_id TEXT NOT NULL REFERENCES persons (id),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (provider, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_person ON identities (person_id);

-- First-party sign-in sessions of browsers. Only the hash of the cookie is kept.
CREATE TABLE sign_in_sessions (
  token_hash TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES persons (id),
  provider TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_sessions_by_person ON sign_in_sessions (person_id);
CREATE INDEX sign_in_sessions_by_expiry ON sign_in_sessions (expires_at);

-- Records of the OAuth library that belong to no person: registered clients, consent handles, used
-- client assertions.
CREATE TABLE oauth_records (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_records_by_expiry ON oauth_records (expires_at) WHERE expires_at IS NOT NULL;

-- Which persons granted what to which client. Written before the grant, which lives in the person's
-- own object: a row without a grant is harmless, a grant without a row would be missed.
CREATE TABLE grants (
  person_id TEXT NOT NULL REFERENCES persons (id),
  grant_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (person_id, grant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_client ON grants (client_id);
