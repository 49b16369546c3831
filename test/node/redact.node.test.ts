import { expect, it } from 'vitest';

import { redact } from '../../src/telemetry/redact.ts';

it.each(['upload', 'download', 'drop', 's', 'invite'])('the log has no address under /%s/', (place) => {
  const path = `https://carrel.example.com/${place}/per_0123456789abcdefghjk.shr_0123456789abcdefghjk.m-a_c`;
  expect(redact(JSON.stringify({ path: `${path}/parts/1` }))).toBe(
    `{"path":"https://carrel.example.com/${place}/[redacted]/parts/1"}`,
  );
});

it('leaves paths alone that open nothing', () => {
  for (const path of ['/account/shares/new', '/accounts/x', '/files/fil_0123456789abcdefghjk'])
    expect(redact(path)).toBe(path);
});
