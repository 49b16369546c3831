import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { newId } from '../../src/lib/ids.ts';
import { PersonIds, tokenParts } from '../../src/oauth/person-ids.ts';

const [CURRENT, RETIRED, FOREIGN] = ['current', 'retired', 'foreign'].map((name) => name.padEnd(32, '-')) as [
  string,
  string,
  string,
];
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

describe('a person’s id, as it stands in tokens', () => {
  it('leads back to the person', async () => {
    const ids = new PersonIds([CURRENT]);
    for (const personId of Array.from({ length: 100 }, () => newId('per'))) {
      const outward = await ids.outward(personId);
      expect(outward).toMatch(/^per_[0-9a-z]{20}\.[0-9a-z]{16}$/);
      // Asked twice, because the second time it is known.
      expect([await ids.parse(outward), await ids.parse(outward)]).toEqual([personId, personId]);
    }
  });

  it('is refused when any character of it was changed', async () => {
    const ids = new PersonIds([CURRENT, RETIRED]);
    const outward = await ids.outward(newId('per'));
    expect(await ids.parse(outward)).toBeDefined();
    const accepted: string[] = [];
    for (let index = 0; index < outward.length; index++)
      for (const character of `${ALPHABET}A.:_-`) {
        const changed = outward.slice(0, index) + character + outward.slice(index + 1);
        if (changed !== outward && (await ids.parse(changed)) !== undefined) accepted.push(changed);
      }
    expect(accepted).toEqual([]);
  });

  it('with a mark of a retired key stays valid, and is marked anew with the current one', async () => {
    const personId = newId('per');
    const old = await new PersonIds([RETIRED]).outward(personId);
    const ids = new PersonIds([CURRENT, RETIRED]);
    expect(await ids.parse(old)).toBe(personId);
    expect(await ids.outward(personId)).toBe(await new PersonIds([CURRENT]).outward(personId));
    expect(await new PersonIds([CURRENT]).parse(old)).toBeUndefined();
    expect(await ids.parse(await new PersonIds([FOREIGN]).outward(personId))).toBeUndefined();
  });

  it('is refused when it is garbage', async () => {
    const ids = new PersonIds([CURRENT]);
    const outward = await ids.outward(newId('per'));
    const [personId = '', mark = ''] = outward.split('.');
    const session = await ids.outward(newId('ses'));
    for (const garbage of [
      '',
      '.',
      personId,
      `${personId}.`,
      `.${mark}`,
      `${outward}.`,
      `${outward}.x`,
      ` ${outward}`,
      `${outward}\n`,
      outward.toUpperCase(),
      session,
    ])
      expect([garbage, await ids.parse(garbage)]).toEqual([garbage, undefined]);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (garbage) => {
        expect(await ids.parse(garbage)).toBeUndefined();
        expect(await ids.parse(`${personId}.${garbage}`)).toBe(garbage === mark ? personId : undefined);
      }),
    );
  });
});

describe('the parts of a token', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/);
  const grant = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  const person = fc.stringMatching(/^[a-z0-9_.]{1,80}$/);

  it('are its person and its grant', () => {
    fc.assert(
      fc.property(person, grant, secret, (outwardPerson, grantId, rest) => {
        expect(tokenParts(`${outwardPerson}:${grantId}:${rest}`)).toEqual({ outwardPerson, grantId });
      }),
    );
  });

  it('are three and no more, as the OAuth library counts them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (garbage) => {
        const [outwardPerson, grantId, ...rest] = garbage.split(':');
        const allowed = rest.length === 1 ? [undefined, { outwardPerson, grantId }] : [undefined];
        expect(allowed).toContainEqual(tokenParts(garbage));
      }),
    );
    for (const garbage of [
      '',
      ':',
      '::',
      'a:b',
      'a:b:',
      ':b:c',
      'a::c',
      'a:b:c:d',
      'a b:c:d',
      'a:b c:d',
      'a:b:c ',
      'a:b:c\n',
      ' a:b:c',
      `a:b:${'c'.repeat(129)}`,
    ])
      expect([garbage, tokenParts(garbage)]).toEqual([garbage, undefined]);
  });
});
