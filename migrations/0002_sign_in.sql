-- Who vouches for a person, as the person sees it, and who may enter. Times are ms since the epoch.

-- How the person recognises an identity: an address, a name at the provider.
ALTER TABLE identities ADD COLUMN label TEXT;
ALTER TABLE identities ADD COLUMN last_used_at INTEGER;

-- Passkeys. Each is an identity too, whose subject is the credential's id.
CREATE TABLE passkeys (
  credential_id TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES persons (id),
  public_key TEXT NOT NULL,
  counter INTEGER NOT NULL,
  transports TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_person ON passkeys (person_id);

-- Codes with which a person who lost all passkeys gets in once each. Only hashes are kept.
CREATE TABLE recovery_codes (
  code_hash TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES persons (id),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_codes_by_person ON recovery_codes (person_id);

-- A sign-in that has begun: what must come back from a provider or an authenticator. Found by the hash
-- of a secret that only the browser has, and used once.
CREATE TABLE sign_in_attempts (
  secret_hash TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  kept TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_attempts_by_expiry ON sign_in_attempts (expires_at);

-- Links that let one person in. Only the hash of the link's secret is kept.
CREATE TABLE invitations (
  id TEXT PRIMARY KEY,
  secret_hash TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'auditor')),
  note TEXT NOT NULL,
  created_by TEXT NOT NULL REFERENCES persons (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_by TEXT,
  used_at INTEGER
) STRICT, WITHOUT ROWID;

-- There is one owner: whoever claims a deployment first.
CREATE UNIQUE INDEX persons_one_owner ON persons (role) WHERE role = 'owner';

-- What happened that somebody may have to answer for. Appended to, never changed; holds no secret.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  person_id TEXT,
  client_id TEXT,
  grant_id TEXT,
  request_id TEXT,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_person ON audit (person_id, at);

-- Registrations of clients, counted by where they came from. Of an address only a keyed hash is kept.
CREATE TABLE client_registrations (
  slot TEXT PRIMARY KEY,
  client_id TEXT,
  address_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX client_registrations_by_address ON client_registrations (address_hash, created_at);
CREATE INDEX client_registrations_by_time ON client_registrations (created_at);
