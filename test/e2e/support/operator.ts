import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'vitest';

import { ROOT } from '../../../scripts/lib/paths.ts';
import { readSecretsFile } from '../../../scripts/lib/secrets.ts';
import type { Deployment } from './deployment.ts';

/** Runs a command as the operator does, against a server on this machine. */
export async function operate(
  deployment: Deployment,
  script: string,
  ...args: string[]
): Promise<{ status: number; output: string }> {
  const address = script === 'audit' ? [] : ['--url', deployment.origin];
  const words = [
    '--no-warnings',
    join(ROOT, `scripts/${script}.ts`),
    ...args,
    ...address,
    '--persist-to',
    deployment.state,
  ];
  const result = await promisify(execFile)(process.execPath, words, { cwd: ROOT }).then(
    ({ stdout, stderr }) => ({ status: 0, output: stdout + stderr }),
    (failure: { code: number; stdout: string; stderr: string }) => ({
      status: failure.code,
      output: failure.stdout + failure.stderr,
    }),
  );
  const { CARREL_SECRET = 'none', PERSON_ID_KEY = 'none' } = readSecretsFile(join(deployment.state, 'dev.vars'));
  for (const secret of [CARREL_SECRET, PERSON_ID_KEY]) expect(result.output).not.toContain(secret);
  return result;
}
