import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromBase64Url, toBase64Url, toHex } from '../../src/lib/encoding.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import type { KeyPurpose } from '../../src/lib/keyring.ts';

const PURPOSES: readonly KeyPurpose[] = ['upload-address', 'download-address', 'form-token', 'consent'];
const secret = fc.string({ minLength: 32, maxLength: 64 });
const message = fc.string({ unit: 'grapheme' });

describe('a signature', () => {
  it('holds for its message and purpose, under its secret', async () => {
    await fc.assert(
      fc.asyncProperty(secret, message, fc.constantFrom(...PURPOSES), async (key, text, purpose) => {
        const signature = await new Keyring([key]).sign(purpose, text);
        expect(signature).toMatch(/^[\w-]{43}$/);
        expect(await new Keyring([key]).verify(purpose, text, signature)).toBe(true);
      }),
    );
  });

  it('fails when any bit of it was changed', async () => {
    const keyring = new Keyring(['s'.repeat(32)]);
    const mac = fromBase64Url(await keyring.sign('consent', 'message')) ?? new Uint8Array();
    expect(mac).toHaveLength(32);
    for (let bit = 0; bit < mac.length * 8; bit++) {
      const changed = mac.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect([bit, await keyring.verify('consent', 'message', toBase64Url(changed))]).toEqual([bit, false]);
    }
  });

  it('has one text: its last character cannot be another that means the same bytes', async () => {
    const keyring = new Keyring(['s'.repeat(32)]);
    const signature = await keyring.sign('consent', 'message');
    const others = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      .split('')
      .map((last) => signature.slice(0, -1) + last)
      .filter((text) => text !== signature && toHex(fromBase64Url(text)!) === toHex(fromBase64Url(signature)!));
    expect(others).toHaveLength(3);
    for (const text of others) expect(await keyring.verify('consent', 'message', text)).toBe(false);
  });

  it('fails for another message, purpose or secret', async () => {
    await fc.assert(
      fc.asyncProperty(secret, secret, message, message, async (key, other, text, changed) => {
        const keyring = new Keyring([key]);
        const signature = await keyring.sign('upload-address', text);
        expect(await keyring.verify('upload-address', changed, signature)).toBe(text === changed);
        for (const purpose of PURPOSES.slice(1)) expect(await keyring.verify(purpose, text, signature)).toBe(false);
        expect(await new Keyring([other]).verify('upload-address', text, signature)).toBe(key === other);
      }),
    );
  });

  it('is not taken from garbage', async () => {
    const keyring = new Keyring(['s'.repeat(32)]);
    const signature = await keyring.sign('consent', 'message');
    const longer = toBase64Url(new Uint8Array(33));
    for (const garbage of [
      '',
      'x',
      '!',
      `${signature}=`,
      ` ${signature}`,
      `${signature}A`,
      signature.slice(0, -1),
      `${signature}${signature}`,
      longer,
    ])
      expect(await keyring.verify('consent', 'message', garbage)).toBe(false);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (garbage) => {
        expect(await keyring.verify('consent', 'message', garbage)).toBe(false);
      }),
    );
  });
});

describe('a rotated secret', () => {
  const [before, now] = ['before'.padEnd(32, '-'), 'now'.padEnd(32, '-')];

  it('signs nothing any more, and what it signed stays valid while it stands beside the new one', async () => {
    const rotated = new Keyring([now, before]);
    const old = await new Keyring([before]).sign('consent', 'message');
    expect(await rotated.verify('consent', 'message', old)).toBe(true);
    expect(await rotated.sign('consent', 'message')).toBe(await new Keyring([now]).sign('consent', 'message'));
    expect(await new Keyring([now]).verify('consent', 'message', old)).toBe(false);
  });

  it('gives a library a secret of its own for each purpose', async () => {
    const derived = await Promise.all(PURPOSES.map(async (purpose) => new Keyring([now]).derivedSecret(purpose)));
    expect(new Set(derived).size).toBe(PURPOSES.length);
    for (const each of derived) expect(each.length).toBeGreaterThanOrEqual(32);
    expect(await new Keyring([before]).derivedSecret('consent')).not.toBe(
      await new Keyring([now]).derivedSecret('consent'),
    );
  });
});
