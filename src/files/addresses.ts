import * as z from 'zod';

import { fromBase64Url, toBase64Url, utf8 } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { randomName } from '../lib/ids.ts';
import { parseJson } from '../lib/json.ts';
import type { Keyring } from '../lib/keyring.ts';
import type { AddressOwner } from './model.ts';

/** What an address is for. Each has a key of its own, so that one never opens the other. */
export type AddressPurpose = 'upload-address' | 'tus-address' | 'download-address' | 'drop-address';

/** A page for dropping files is read by a person, the others by agents and programs. */
const ASK_FOR_A_NEW_ONE: Readonly<Record<AddressPurpose, string>> = {
  'upload-address': 'Ask for a new one with `file_upload`.',
  'tus-address': 'Begin the upload anew.',
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
  /** How often it may be used, counted in the workspace under this id; undefined for any number. */
  readonly count?: { readonly id: string; readonly uses: number } | undefined;
}

export type AddressCheck =
  | { readonly outcome: 'valid'; readonly claims: AddressClaims }
  /** No key of ours made it for this purpose. */
  | { readonly outcome: 'invalid' }
  | { readonly outcome: 'expired' };

/** Longer ones are refused before any work is done on them. The longest names a folder of 1,024 bytes. */
const MAX_ADDRESS_LENGTH = 4000;

const claimsOfAll = [z.string(), z.string(), z.string(), z.int()] as const;
const payloadSchema = z.union([z.tuple(claimsOfAll), z.tuple([...claimsOfAll, z.string(), z.int()])]);

/** An address as it stands in a URL, `<payload>.<mac>`: whoever has it needs no other credential. */
export async function signAddress(keyring: Keyring, purpose: AddressPurpose, claims: AddressClaims): Promise<string> {
  const { workspaceId, subject, grantId, expiresAt, count } = claims;
  const counted = count ? [count.id, count.uses] : [];
  const payload = toBase64Url(utf8(JSON.stringify([workspaceId, subject, grantId, expiresAt, ...counted])));
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
  if (rest.length > 0 || !(await keyring.verify(purpose, payload, mac))) return { outcome: 'invalid' };
  const bytes = fromBase64Url(payload);
  const parsed = payloadSchema.safeParse(bytes && parseJson(new TextDecoder().decode(bytes)));
  if (!parsed.success) return { outcome: 'invalid' };
  const [workspaceId, subject, grantId, expiresAt, id, uses] = parsed.data;
  if (expiresAt <= now) return { outcome: 'expired' };
  const count = id === undefined || uses === undefined ? undefined : { id, uses };
  return { outcome: 'valid', claims: { workspaceId, subject, grantId, expiresAt, ...(count ? { count } : {}) } };
}

/** Makes addresses, and says what they are for. */
export class Addresses {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /**
   * @param expiresAt ms since the epoch
   * @param uses how often it may be used; undefined for any number, which costs no storage
   */
  async make(
    purpose: AddressPurpose,
    { workspaceId, grantId }: AddressOwner,
    subject: string,
    expiresAt: number,
    uses?: number,
  ): Promise<string> {
    const count = uses === undefined ? undefined : { id: randomName(), uses };
    const claims = { workspaceId, subject, grantId, expiresAt: Math.floor(expiresAt / 1000), count };
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
