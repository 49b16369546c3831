import { describe, expect, it } from 'vitest';

import { OperatorSignature } from '../../src/account/operator.ts';
import { Admission } from '../../src/identity/admission.ts';
import { Keyring } from '../../src/lib/keyring.ts';

const NOW = 1_800_000_000_000;
const ORIGIN = 'https://carrel.example';
const BODY = '{"command":"disable","person":"per_1"}';
const keyring = new Keyring(['a secret', 'the one before']);
const operator = new OperatorSignature(keyring);

describe('a request of the operator', () => {
  it('is known by its signature, with the secret before as well, while the clocks agree', async () => {
    const before = new OperatorSignature(new Keyring(['the one before']));
    for (const each of [operator, before])
      for (const late of [-290_000, 0, 290_000])
        expect(await operator.verify(ORIGIN, BODY, await each.sign(ORIGIN, BODY, NOW), NOW + late)).toBe(true);
  });

  it('is refused for another body, deployment, time or secret', async () => {
    const header = await operator.sign(ORIGIN, BODY, NOW);
    const other = await new OperatorSignature(new Keyring(['another'])).sign(ORIGIN, BODY, NOW);
    const [, signature = ''] = header.split('.');
    const refused = [
      operator.verify(ORIGIN, BODY.replace('per_1', 'per_2'), header, NOW),
      operator.verify('https://other.example', BODY, header, NOW),
      operator.verify(ORIGIN, BODY, header, NOW + 301_000),
      operator.verify(ORIGIN, BODY, header, NOW - 301_000),
      operator.verify(ORIGIN, BODY, `${NOW + 1}.${signature}`, NOW),
      operator.verify(ORIGIN, BODY, other, NOW),
      ...[null, '', '.', signature, `NaN.${signature}`, `${NOW}.`, `1e99.${signature}`].map((bad) =>
        operator.verify(ORIGIN, BODY, bad, NOW),
      ),
      // A form's token is signed with the same secret, for another purpose.
      operator.verify(ORIGIN, BODY, `${NOW}.${await keyring.sign('form-token', `${ORIGIN}\n${NOW}\n${BODY}`)}`, NOW),
    ];
    expect(await Promise.all(refused)).toEqual(refused.map(() => false));
  });
});

describe('the owner code', () => {
  it('is the same as long as the secret is, and says nothing of it', async () => {
    const code = await Admission.ownerCode(keyring);
    expect(code).toMatch(/^[a-zA-Z0-9]{24}$/);
    expect(await Admission.ownerCode(new Keyring(['a secret']))).toBe(code);
    expect(await Admission.ownerCode(new Keyring(['the one before', 'a secret']))).not.toBe(code);
  });
});
