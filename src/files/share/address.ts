import { isId } from '../../lib/ids.ts';
import type { Keyring } from '../../lib/keyring.ts';

/** What the address of a share names. */
export interface ShareClaims {
  readonly workspaceId: string;
  readonly shareId: string;
}

/**
 * The last part of a share's address, `<workspace>.<share>.<mac>`. It can be made again at any time, so that its
 * person finds it where they look for it; and what is stored of a share opens nothing without our key.
 */
export async function shareAddress(keyring: Keyring, { workspaceId, shareId }: ShareClaims): Promise<string> {
  const payload = `${workspaceId}.${shareId}`;
  return `${payload}.${await keyring.sign('share-address', payload)}`;
}

/** @returns undefined for one that no key of ours made: no storage is read for it */
export async function checkShareAddress(keyring: Keyring, address: string): Promise<ShareClaims | undefined> {
  const [workspaceId = '', shareId = '', mac = '', ...rest] = address.length > 200 ? [] : address.split('.');
  if (rest.length > 0 || !isId('shr', shareId)) return undefined;
  if (!(await keyring.verify('share-address', `${workspaceId}.${shareId}`, mac))) return undefined;
  return { workspaceId, shareId };
}
