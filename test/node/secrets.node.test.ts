import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  addToSecretsFile,
  ensureDevelopmentSecrets,
  readSecretsFile,
  unreadableLines,
} from '../../scripts/lib/secrets.ts';
import { folder, removeFolders } from '../support/scripts.ts';

afterAll(removeFolders);

describe('development secrets', () => {
  it('are made once, for their owner alone', () => {
    const file = join(folder(), 'deep', '.dev.vars');
    expect(ensureDevelopmentSecrets(file)).toEqual(['CARREL_SECRET', 'PERSON_ID_KEY']);
    const made = readFileSync(file, 'utf8');
    expect(made).toMatch(/^CARREL_SECRET=[0-9a-f]{64}$/m);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(ensureDevelopmentSecrets(file)).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(made);
  });

  it('are added beside what is there', () => {
    const file = join(folder(), '.dev.vars');
    addToSecretsFile(file, { MINE: 'kept', CARREL_SECRET: 's'.repeat(40) }, 'By hand.');
    expect(ensureDevelopmentSecrets(file)).toEqual(['PERSON_ID_KEY']);
    expect(readSecretsFile(file)).toMatchObject({ MINE: 'kept', CARREL_SECRET: 's'.repeat(40) });
  });
});

describe('a file of secrets', () => {
  it('is told apart from what nobody can have meant', () => {
    const file = join(folder(), '.dev.vars');
    writeFileSync(
      file,
      `# a comment\n\nexport A=1\nB = "two # words" # why\nC='x\ny'\nD=it's\nno line\nE="open\nF=1\nG='a' b\n`,
    );
    expect(unreadableLines(file)).toEqual([
      'Line 8 of .dev.vars is not of the form NAME=value.',
      'Line 9 of .dev.vars opens a quotation mark that is not closed.',
      'Line 11 of .dev.vars opens a quotation mark that is not closed.',
    ]);
    expect(unreadableLines(join(folder(), 'none'))).toEqual([]);
  });
});
