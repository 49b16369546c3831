import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { clientAddress } from '../../src/lib/client-address.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { hashOfDeviceCode, newDeviceCode, newUserCode, parseUserCode } from '../../src/oauth/device/codes.ts';

const keyring = new Keyring(['a secret of this test that is long enough']);

describe('a code for people', () => {
  test('is found however it is typed', () => {
    const gap = fc.constantFrom('', ' ', '-', ' - ', '\t');
    fc.assert(
      fc.property(fc.array(gap, { minLength: 9, maxLength: 9 }), fc.boolean(), (gaps, lower) => {
        const code = newUserCode();
        const letters = code.replace('-', '');
        const typed = gaps.map((each, at) => each + letters.charAt(at)).join('');
        expect(parseUserCode(lower ? typed.toLowerCase() : typed)).toBe(code);
      }),
    );
  });

  test('is nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (typed) => {
        const parsed = parseUserCode(typed);
        expect(parsed ?? 'BCDF-GHJK').toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
      }),
    );
    for (const typed of ['', 'ABCD-EFGH', 'BCDFGHJ', 'BCDF-GHJKL', '0BCDFGHJ', 'ＢＣＤＦＧＨＪＫ'])
      expect(parseUserCode(typed)).toBe(undefined);
  });

  test('has each letter as often as the others', () => {
    const counts = new Map<string, number>();
    for (let round = 0; round < 5000; round++)
      for (const letter of newUserCode().replace('-', '').split('')) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    // 2,000 of each are expected; five standard deviations are 218.
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(218);
    expect(counts.size).toBe(20);
  });
});

test('a code for a device with one character changed is none of ours', async () => {
  const code = await newDeviceCode(keyring);
  expect(await hashOfDeviceCode(keyring, code)).toMatch(/^[0-9a-f]{64}$/);
  await fc.assert(
    fc.asyncProperty(fc.nat(code.length - 1), fc.constantFrom('A', 'b', '7', '_', '.', ' '), async (at, character) => {
      fc.pre(code.charAt(at) !== character);
      const changed = code.slice(0, at) + character + code.slice(at + 1);
      const hash = await hashOfDeviceCode(keyring, changed);
      // The last character of a MAC has two bits that mean nothing: then it is the same code.
      expect(hash === undefined || at === code.length - 1).toBe(true);
    }),
  );
});

describe('the address of a client', () => {
  const of = (address: string) => clientAddress(new Headers({ 'CF-Connecting-IP': address }));

  test('of IPv6 is its network, however it is written', () => {
    for (const address of ['2001:db8::1', '2001:DB8:0:0:1:2:3:4', '2001:0db8:0000:0000::', '2001:db8::a:b'])
      expect(of(address)).toBe('2001:db8:0:0::/64');
    expect(of('2001:db8:0:1::1')).toBe('2001:db8:0:1::/64');
    expect(of('::1')).toBe('0:0:0:0::/64');
  });

  test('of IPv4 is itself, and nobody has none', () => {
    expect(of('192.0.2.7')).toBe('192.0.2.7');
    expect(clientAddress(new Headers())).toBe(undefined);
  });

  test('of Workers elsewhere, which share one, is told apart by their zone', () => {
    const ofWorker = (zone: string, address = '2a06:98c0:3600::103') =>
      clientAddress(new Headers({ 'CF-Connecting-IP': address, 'CF-Worker': zone }));
    expect(ofWorker('one.example')).not.toBe(ofWorker('two.example'));
    expect(ofWorker('One.example')).toBe(ofWorker('one.example'));
    expect(ofWorker('x'.repeat(5000))?.length).toBeLessThan(300);
    // From anywhere else it is what the sender chose.
    for (const address of ['192.0.2.1', '2001:db8::1']) expect(ofWorker('one.example', address)).toBe(of(address));
  });
});
