import { afterAll, beforeAll } from 'vitest';

import { startIssuer } from './issuer.ts';
import type { RealIssuer } from './issuer.ts';

/** The issuer of {@link startIssuer}, for the tests of one file. */
export function useRealIssuer(): RealIssuer {
  let issuer: Awaited<ReturnType<typeof startIssuer>> | undefined;
  const running = () => {
    if (!issuer) throw new Error('the issuer has not started yet');
    return issuer;
  };
  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(() => issuer?.close());
  return {
    get url() {
      return running().url;
    },
    get setting() {
      return running().setting;
    },
    register: (origin) => running().register(origin),
  };
}
