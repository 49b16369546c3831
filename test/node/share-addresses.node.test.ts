import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkShareAddress, shareAddress } from '../../src/files/share/address.ts';
import { describeBytes } from '../../src/lib/bytes.ts';
import { newId } from '../../src/lib/ids.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { hashPassword, isPassword } from '../../src/lib/password.ts';

const SECRET = 'a secret of the test, of enough characters';
const keyring = new Keyring([SECRET]);
const claims = { workspaceId: 'per_0123456789abcdefghjk', shareId: 'shr_0123456789abcdefghjk' };

describe('the address of a share', () => {
  it('says what it was made with, the same each time', async () => {
    const workspaces = fc.stringMatching(/^[a-z]{3}_[0-9a-z]{1,30}$/);
    await fc.assert(
      fc.asyncProperty(workspaces, async (workspaceId) => {
        const made = { workspaceId, shareId: newId('shr') };
        const address = await shareAddress(keyring, made);
        expect(address).toMatch(/^[\w.-]+$/);
        expect(await shareAddress(keyring, made)).toBe(address);
        expect(await checkShareAddress(keyring, address)).toEqual(made);
      }),
    );
  });

  it('is none with any one bit changed', async () => {
    const address = await shareAddress(keyring, claims);
    for (let index = 0; index < address.length; index += 1)
      for (let bit = 0; bit < 7; bit += 1) {
        const changed = String.fromCharCode(address.charCodeAt(index) ^ (1 << bit));
        const tampered = address.slice(0, index) + changed + address.slice(index + 1);
        expect(await checkShareAddress(keyring, tampered), `bit ${bit} of character ${index}`).toBeUndefined();
      }
  });

  it('is none with another secret, for another purpose, cut, doubled or invented', async () => {
    const address = await shareAddress(keyring, claims);
    const payload = `${claims.workspaceId}.${claims.shareId}`;
    expect(await checkShareAddress(new Keyring(['another secret of the test, quite long']), address)).toBeUndefined();
    for (const wrong of [
      '',
      '.',
      '..',
      payload,
      `${payload}.`,
      `${payload}.${await keyring.sign('download-address', payload)}`,
      `${address}.`,
      `${address}.x`,
      `${address}=`,
      ` ${address}`,
      'x'.repeat(100_000),
    ])
      expect(await checkShareAddress(keyring, wrong), wrong.slice(0, 40)).toBeUndefined();
    const rotated = new Keyring(['the secret after the rotation, long enough', SECRET]);
    expect(await checkShareAddress(rotated, address)).toEqual(claims);
  });
});

describe('a password', () => {
  it('is known again by what is kept of it, which is never twice the same', async () => {
    const [one, other] = [await hashPassword('correct horse'), await hashPassword('correct horse')];
    expect(one).not.toBe(other);
    expect(one).not.toContain('horse');
    expect([await isPassword('correct horse', one), await isPassword('correct horse', other)]).toEqual([true, true]);
    for (const wrong of ['', 'correct hors', 'correct horse ', 'Correct horse'])
      expect(await isPassword(wrong, one), wrong).toBe(false);
  });

  it.each(['', '$$$', 'plain$1$$', 'pbkdf2-sha256$1$*$*', 'pbkdf2-sha256$1000$AAAA$AAAA'])(
    'is never %j',
    async (kept) => {
      expect(await isPassword('', kept)).toBe(false);
    },
  );
});

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1000, '1.0 KB'],
  [9960, '10 KB'],
  [999_499, '999 KB'],
  [999_500, '1.0 MB'],
  [1_234_567, '1.2 MB'],
  [3_000_000_000, '3.0 GB'],
  [20e15, '20000 TB'],
])('%i bytes are %s to people', (bytes, words) => {
  expect(describeBytes(bytes)).toBe(words);
});
