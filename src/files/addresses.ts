import * as z from 'zod';

import { fromBase64Url, toBase64Url, utf8 } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import type { Keyring } from '../lib/keyring.ts';
import type { AddressOwner } from './model.ts';

/** What an address is for. Each has a key of its own, so that one never opens the other. */
export type AddressPurpose = 'upload-address' | 'download-address' | 'drop-address';

/** A page for dropping files is read by a person, the others by agents and programs. */
const ASK_FOR_A_NEW_ONE: Readonly<Record<AddressPurpose, string>> = {
  'upload-address': 'Ask for a new one with `file_upload`.',
  'download-address': 'Ask for a new one with `file_link`.',
  'drop-address': 'Ask the assistant for a new page.',
};

/** What an address says, to us alone. */
export interface AddressClaims {
  readonly workspaceId: string;
  /** What it is for: a file, or an upload that is expected. */
  readonly subject: string;
  /** The grant that made it: when that ends, the address ends. */
  readonly grantId: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export type AddressCheck =
  | { readonly outcome: 'valid'; readonly claims: AddressClaims }
  /** No key of ours made it for this purpose. */
  | { readonly outcome: 'invalid' }
  | { readonly outcome: 'expired' };

/** Longer ones are refused before any work is done on them. */
const MAX_ADDRESS_LENGTH = 1000;

const payloadSchema = z.tuple([z.string(), z.string(), z.string(), z.int()]);

/** An address as it stands in a URL, `<payload>.<mac>`: whoever has it needs no other credential. */
export async function signAddress(keyring: Keyring, purpose: AddressPurpose, claims: AddressClaims): Promise<string> {
  const { workspaceId, subject, grantId, expiresAt } = claims;
  const payload = toBase64Url(utf8(JSON.stringify([workspaceId, subject, grantId, expiresAt])));
  return `${payload}.${await keyring.sign(purpose, payload)}`;
}

/**
 * Checks an address by arithmetic alone, before any storage is read.
 *
 * @param now seconds since the epoch
 */
export async function checkAddress(
  keyring: Keyring,
  purpose: AddressPurpose,
  address: string,
  now: number,
): Promise<AddressCheck> {
  const [payload = '', mac = '', ...rest] = address.length > MAX_ADDRESS_LENGTH ? [] : address.split('.');
  if (rest.length > 0 || !isCanonical(mac) || !(await keyring.verify(purpose, payload, mac)))
    return { outcome: 'invalid' };
  const bytes = fromBase64Url(payload);
  const parsed = payloadSchema.safeParse(bytes && parseJson(new TextDecoder().decode(bytes)));
  if (!parsed.success) return { outcome: 'invalid' };
  const [workspaceId, subject, grantId, expiresAt] = parsed.data;
  if (expiresAt <= now) return { outcome: 'expired' };
  return { outcome: 'valid', claims: { workspaceId, subject, grantId, expiresAt } };
}

/** The last character of 32 bytes in base64url has two bits that mean nothing: one address, one text. */
function isCanonical(mac: string): boolean {
  const bytes = fromBase64Url(mac);
  return bytes !== undefined && toBase64Url(bytes) === mac;
}

/** Makes addresses, and says what they are for. */
export class Addresses {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** @param expiresAt ms since the epoch */
  async make(
    purpose: AddressPurpose,
    { workspaceId, grantId }: AddressOwner,
    subject: string,
    expiresAt: number,
  ): Promise<string> {
    const claims = { workspaceId, subject, grantId, expiresAt: Math.floor(expiresAt / 1000) };
    return signAddress(this.#keyring, purpose, claims);
  }

  /** @throws CarrelError `forbidden` for one that expired, was changed, or is for something else */
  async open(purpose: AddressPurpose, address: string): Promise<AddressClaims> {
    const check = await checkAddress(this.#keyring, purpose, address, Date.now() / 1000);
    if (check.outcome === 'valid') return check.claims;
    const why = check.outcome === 'expired' ? 'has expired' : 'is not valid: it was changed or cut';
    throw new CarrelError('forbidden', `This address ${why}. ${ASK_FOR_A_NEW_ONE[purpose]}`);
  }
}
