import fc from 'fast-check';
import { expect, it } from 'vitest';

import { crc32 } from '../../src/lib/crc32.ts';
import { newId } from '../../src/lib/ids.ts';
import { isPersonalToken, makePersonalToken, personalTokenParts } from '../../src/oauth/personal-token.ts';
import { PersonIds } from '../../src/oauth/person-ids.ts';

const ids = new PersonIds(['a-key-of-at-least-thirty-two-characters']);

it('knows the check value that everybody knows', () => {
  expect(crc32('123456789')).toBe(0xcb_f4_39_26);
});

it('says whose it is, and no other text does', async () => {
  const personId = newId('per');
  const outwardPerson = await ids.outward(personId);
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...'0123456789abcdefghjkmnpqrstvwxyz'.split('')), (seed, letter) => {
      const { token, grantId } = makePersonalToken(outwardPerson);
      expect(personalTokenParts(token)).toEqual({ outwardPerson, grantId });
      // One letter that was read or typed wrong: the checksum finds it.
      const at = 'carrel_pat_'.length + (seed % (token.length - 'carrel_pat_'.length));
      const changed = token.slice(0, at) + letter + token.slice(at + 1);
      expect(personalTokenParts(changed) === undefined).toBe(changed !== token);
    }),
  );
  expect(await ids.parse(personalTokenParts(makePersonalToken(outwardPerson).token)?.outwardPerson ?? '')).toBe(
    personId,
  );
});

it('takes nothing that only begins like one', () => {
  fc.assert(
    fc.property(fc.string(), (rest) => {
      expect(isPersonalToken(`carrel_pat_${rest}`)).toBe(true);
      expect(personalTokenParts(`carrel_pat_${rest}`)).toBeUndefined();
    }),
  );
});
