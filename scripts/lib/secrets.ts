import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseEnv } from 'node:util';

import { toHex } from '../../src/lib/encoding.ts';
import { Stop } from './terminal.ts';

/** The secrets that no deployment can do without; Carrel makes them itself. */
export const MADE_SECRETS = ['CARREL_SECRET', 'PERSON_ID_KEY'] as const;

const EXPLANATIONS: Record<string, string> = {
  CARREL_SECRET: 'Addresses, cookies and forms are signed with keys derived from it.',
  PERSON_ID_KEY: 'Marks the person ids inside tokens.',
};

/** 32 random bytes as 64 hexadecimal characters. */
export function makeSecret(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(32)));
}

/** The file's text; undefined when there is none. @throws Stop when it is there and cannot be read */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EISDIR')
      throw new Stop(`${file} is a folder. Move it away: it must be a file, and npm start makes it.`);
    if (code === 'EACCES') throw new Stop(`${file} may not be read by you. Change its owner or its mode.`);
    throw error;
  }
}

/** The values of a file of `NAME=value` lines; empty when there is no such file. */
export function readSecretsFile(file: string): Record<string, string> {
  const parsed = parseEnv(readText(file) ?? '');
  return Object.fromEntries(
    Object.entries(parsed).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * What nobody can have meant in a file of `NAME=value` lines, as sentences. Readers of such files guess
 * or skip it in silence. A value is never part of a sentence.
 */
export function unreadableLines(file: string): string[] {
  const lines = (readText(file) ?? '').split(/\r?\n/);
  const name = basename(file);
  const faults: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (/^\s*(?:#|$)/.test(line)) continue;
    const value = /^\s*(?:export\s+)?[\w.-]+\s*=\s*(.*)$/.exec(line)?.[1];
    if (value === undefined) {
      faults.push(`Line ${index + 1} of ${name} is not of the form NAME=value.`);
      continue;
    }
    const [mark] = value;
    if (mark !== '"' && mark !== "'" && mark !== '`') continue;
    // A quoted value may go on over lines; nothing but a comment may stand behind it.
    const rest = [value.slice(1), ...lines.slice(index + 1)].join('\n');
    const end = rest.indexOf(mark);
    if (end === -1 || !/^\s*(?:#|\n|$)/.test(rest.slice(end + 1)))
      faults.push(`Line ${index + 1} of ${name} opens a quotation mark that is not closed.`);
    else index += rest.slice(0, end).split('\n').length - 1;
  }
  return faults;
}

/**
 * Adds lines to a file of `NAME=value` lines, readable by its owner alone. What is in the file stays;
 * a name that is there twice has its last value.
 */
export function addToSecretsFile(file: string, values: Record<string, string>, title: string): void {
  const existing = readText(file) ?? `# ${title}\n`;
  const lines = Object.entries(values).flatMap(([name, value]) => [
    '',
    ...(EXPLANATIONS[name] === undefined ? [] : [`# ${EXPLANATIONS[name]}`]),
    `${name}=${value}`,
  ]);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${existing.trimEnd()}\n${lines.join('\n')}\n`, { mode: 0o600 });
  // The mode above counts only for a new file.
  chmodSync(file, 0o600);
}

/**
 * Makes the development secrets that the file lacks, and nothing else.
 *
 * @returns the names that were made
 */
export function ensureDevelopmentSecrets(file: string): string[] {
  const present = readSecretsFile(file);
  const missing = MADE_SECRETS.filter((name) => (present[name] ?? '') === '');
  if (missing.length > 0)
    addToSecretsFile(
      file,
      Object.fromEntries(missing.map((name) => [name, makeSecret()])),
      'Secrets of this machine, made by `npm start`. Never commit this file. See .dev.vars.example.',
    );
  return missing;
}

/** Writes a file of `NAME=value` lines anew, readable by its owner alone; a crash leaves the old one. */
export function writeSecretsFile(file: string, values: Readonly<Record<string, string>>, title: string): void {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `# ${title}\n${lines.join('\n')}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
