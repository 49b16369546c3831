import type { Identity } from './types.ts';

/**
 * What keeps the key of an identity that is a new passkey: to be batched after the statement that gives
 * the identity to the person. It keeps nothing when that one did not, so that nobody's key is put in
 * place of another's.
 */
export function passkeyOf(
  d1: D1Database,
  personId: string,
  { subject, label, passkey }: Identity,
  now: number,
): D1PreparedStatement[] {
  if (!passkey) return [];
  return [
    d1
      .prepare(
        `INSERT INTO passkeys (credential_id, person_id, public_key, counter, transports, name, created_at)
         SELECT ?, ?, ?, ?, ?, ?, ? FROM identities WHERE provider = 'passkey' AND subject = ? AND person_id = ?
         ON CONFLICT DO NOTHING`,
      )
      .bind(
        subject,
        personId,
        passkey.publicKey,
        passkey.counter,
        JSON.stringify(passkey.transports),
        label,
        now,
        subject,
        personId,
      ),
  ];
}
