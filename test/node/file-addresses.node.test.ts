import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkAddress, signAddress } from '../../src/files/addresses.ts';
import { Keyring } from '../../src/lib/keyring.ts';

const SECRET = 'a secret of the test, of enough characters';
const keyring = new Keyring([SECRET]);
const claims = {
  workspaceId: 'per_0123456789abcdefghjk',
  subject: 'fil_0123456789abcdefghjk',
  grantId: 'g-1_A',
  expiresAt: 2000,
};

describe('addresses', () => {
  it('say what they were made with, until they expire', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            workspaceId: fc.string({ maxLength: 40 }),
            subject: fc.string({ maxLength: 40 }),
            grantId: fc.string({ maxLength: 64 }),
            expiresAt: fc.integer({ min: 1, max: 4_000_000_000 }),
            count: fc.record({ id: fc.string({ maxLength: 20 }), uses: fc.integer({ min: 1, max: 1000 }) }),
          },
          { requiredKeys: ['workspaceId', 'subject', 'grantId', 'expiresAt'] },
        ),
        fc.constantFrom('upload-address' as const, 'tus-address' as const, 'download-address' as const),
        async (made, purpose) => {
          const address = await signAddress(keyring, purpose, made);
          expect(address).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
          expect(await checkAddress(keyring, purpose, address, made.expiresAt - 1)).toEqual({
            outcome: 'valid',
            claims: made,
          });
          expect(await checkAddress(keyring, purpose, address, made.expiresAt)).toEqual({ outcome: 'expired' });
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ['any number of uses', claims],
    ['a count', { ...claims, count: { id: 'x'.repeat(20), uses: 3 } }],
  ])('of %s open nothing with any one bit changed', async (_what, made) => {
    const address = await signAddress(keyring, 'upload-address', made);
    for (let index = 0; index < address.length; index += 1)
      for (let bit = 0; bit < 7; bit += 1) {
        const changed = String.fromCharCode(address.charCodeAt(index) ^ (1 << bit));
        const tampered = address.slice(0, index) + changed + address.slice(index + 1);
        const { outcome } = await checkAddress(keyring, 'upload-address', tampered, 1000);
        expect(outcome, `bit ${bit} of character ${index}`).toBe('invalid');
      }
  });

  it('mean nothing for another purpose, with another secret, cut, doubled or invented', async () => {
    const address = await signAddress(keyring, 'upload-address', claims);
    const [payload = '', mac = ''] = address.split('.');
    expect((await checkAddress(keyring, 'download-address', address, 1000)).outcome).toBe('invalid');
    expect(
      (await checkAddress(new Keyring(['another secret of the test, quite long']), 'upload-address', address, 1000))
        .outcome,
    ).toBe('invalid');
    for (const wrong of [
      '',
      '.',
      payload,
      `${payload}.`,
      `.${mac}`,
      `${address}.`,
      `${address}.x`,
      `${mac}.${payload}`,
      `${address}=`,
      ` ${address}`,
      'x'.repeat(100_000),
    ])
      expect((await checkAddress(keyring, 'upload-address', wrong, 1000)).outcome, wrong.slice(0, 40)).toBe('invalid');
  });

  it('stay valid while their secret is the previous one', async () => {
    const address = await signAddress(keyring, 'upload-address', claims);
    const rotated = new Keyring(['the secret after the rotation, long enough', SECRET]);
    expect((await checkAddress(rotated, 'upload-address', address, 1000)).outcome).toBe('valid');
  });

  it('are nothing when something else was signed with their key', async () => {
    for (const payload of ['', 'e30', 'WzFd', '____'])
      expect(
        (
          await checkAddress(
            keyring,
            'upload-address',
            `${payload}.${await keyring.sign('upload-address', payload)}`,
            1000,
          )
        ).outcome,
      ).toBe('invalid');
  });
});
