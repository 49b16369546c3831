import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SHELLS } from '../../src/files/model.ts';
import type { Shell } from '../../src/files/model.ts';
import { nameFault } from '../../src/files/names.ts';
import { uploadCommand } from '../../src/files/upload-command.ts';

const URL = 'https://carrel.example.com/upload/a-_.b';
const PARTS = { count: 3, bytes: 33_554_432 };

const command = (shell: Shell, name: string, parts?: typeof PARTS) =>
  uploadCommand(shell, { name, url: URL, size: 70_000_000, parts });

/** Text of a program without its strings, and what those are once the program reads them. */
interface Lexed {
  readonly rest: string;
  readonly strings: readonly string[];
}

/** Reads a program: `string` takes one string off its beginning, if there is one. */
function lex(program: string, string: (text: string) => readonly [length: number, value: string] | undefined): Lexed {
  const strings: string[] = [];
  let rest = '';
  for (let at = 0; at < program.length;) {
    const [length, value] = string(program.slice(at)) ?? [0, ''];
    if (length > 0) strings.push(value);
    rest += length > 0 ? '·' : program.charAt(at);
    at += length || 1;
  }
  return { rest, strings };
}

/**
 * As each of them reads strings. POSIX shells, XCU 2.2: nothing is special in single quotes, and `\'` stands outside of
 * them. Python, "String and Bytes literals": of its escapes those that JSON has too. PowerShell, about_Quoting_Rules
 * and its tokenizer: any of five quotes ends a string, and two of them are one.
 */
const STRINGS: Readonly<Record<Shell, (text: string) => readonly [number, string] | undefined>> = {
  curl(text) {
    const [whole] = /^(?:'[^']*'|\\')+/.exec(text) ?? [];
    return whole === undefined ? undefined : [whole.length, whole.replaceAll(/'([^']*)'|\\(')/g, '$1$2')];
  },
  python(text) {
    const [whole] = /^"(?:[^"\\\r\n]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*"/.exec(text) ?? [];
    return whole === undefined ? undefined : [whole.length, JSON.parse(whole) as string];
  },
  powershell(text) {
    const [double] = /^"[^"`]*"/.exec(text) ?? [];
    if (double !== undefined) return [double.length, double.slice(1, -1)];
    const [whole] = /^'(?:[^'\u2018-\u201B]|['\u2018-\u201B]{2})*['\u2018-\u201B]/.exec(text) ?? [];
    if (whole === undefined) return undefined;
    return [whole.length, whole.slice(1, -1).replaceAll(/['\u2018-\u201B](['\u2018-\u201B])/g, '$1')];
  },
};

const read = (shell: Shell, program: string) => lex(program, STRINGS[shell]);

/** How the name stands in each: where it is in a folder that is named beside it, too. */
const AS_GIVEN: Readonly<Record<Shell, (name: string) => string>> = {
  curl: (name) => `./${name}`,
  python: (name) => name,
  powershell: (name) => `/${name}`,
};

const pieces = fc.constantFrom(
  ...`' " \` $ ( ) { } [ ] ; & | < > # % ! ~ ^ = + , @ - . * ? $(id) $env:PATH %PATH% '' "" {url} \${x} 🦊 é 文 x`.split(
    ' ',
  ),
  ' ',
  '\u2018',
  '\u2019',
  '\u201A',
  '\u201B',
  '\u201D',
);
const aName = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.array(pieces, { minLength: 1 }).map((all) => all.join('')),
  )
  .filter((name) => nameFault(name) === undefined);

describe.each(SHELLS)('the upload command for %s', (shell) => {
  it.each([
    ['one request', undefined],
    ['parts', PARTS],
  ])('in %s holds any name as one string, and runs nothing of it', (_how, parts) => {
    const { rest } = read(shell, command(shell, 'plain.txt', parts));
    fc.assert(
      fc.property(aName, (name) => {
        const said = read(shell, command(shell, name, parts));
        expect(said.rest).toBe(rest);
        expect(said.strings).toContain(AS_GIVEN[shell](name));
        expect(said.strings).toContain(URL);
      }),
      { numRuns: 500 },
    );
  });
});

it('the upload command for curl is one line that a person can read', () => {
  expect(command('curl', "it's $(id).txt")).toBe(
    String.raw`curl --fail-with-body --globoff --header 'Expect:' --upload-file './it'\''s $(id).txt' '${URL}'`,
  );
});
