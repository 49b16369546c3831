import { crc32 } from '../lib/crc32.ts';
import { randomName, toBase32 } from '../lib/ids.ts';

/** By which secret scanners, and people, know one. */
const PREFIX = 'carrel_pat_';

const FORM =
  /^carrel_pat_(?<person>[0-9a-z]{20})(?<mark>[0-9a-z]{16})(?<id>[0-9a-z]{20})[0-9a-z]{40}(?<check>[0-9a-z]{7})$/;

/** What a personal token says of itself before anything is read. */
export interface PersonalTokenParts {
  readonly outwardPerson: string;
  readonly grantId: string;
}

/** Whether a token says that it is a personal one; says nothing of whether it is ours. */
export function isPersonalToken(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** Whether a grant's id is that of a personal token. */
export function isPersonalGrant(grantId: string): boolean {
  return grantId.startsWith('pat_');
}

/**
 * A new personal access token: the prefix, the person's marked id, the token's id, 200 random bits and
 * a checksum over all of it, so that a scanner tells one from a text that only begins like one.
 *
 * @param outwardPerson see {@link PersonIds.outward}
 */
export function makePersonalToken(outwardPerson: string): { readonly token: string; readonly grantId: string } {
  const [person = '', mark = ''] = outwardPerson.split('.');
  const id = randomName();
  const body = `${PREFIX}${person.slice('per_'.length)}${mark}${id}${randomName()}${randomName()}`;
  return { token: body + checksum(body), grantId: `pat_${id}` };
}

/** The parts of a token whose checksum is right. */
export function personalTokenParts(token: string): PersonalTokenParts | undefined {
  const { person, mark, id, check } = FORM.exec(token)?.groups ?? {};
  if (person === undefined || checksum(token.slice(0, -7)) !== check) return undefined;
  return { outwardPerson: `per_${person}.${mark}`, grantId: `pat_${id}` };
}

function checksum(text: string): string {
  const value = crc32(text);
  return toBase32(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
}
