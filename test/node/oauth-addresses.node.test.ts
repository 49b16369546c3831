import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { safeReturnTo } from '../../src/identity/return-to.ts';
import { canonicaliseResources, canonicalResource } from '../../src/oauth/resource.ts';

const ORIGINS = ['https://carrel.example', 'http://localhost:8787', 'http://[::1]:8787'];

describe('the canonical resource', () => {
  it.each(ORIGINS)('of every spelling of %s is the bare origin', (origin) => {
    const query = fc.oneof(
      fc.constant(''),
      fc.constantFrom('?', '?toolsets=files', '?toolsets=files,sessions&readonly=true'),
    );
    fc.assert(
      fc.property(fc.constantFrom('', '/', '/mcp', '/mcp/', '/files', '/files/'), query, (path, rest) => {
        expect(canonicalResource(`${origin}${path}${rest}`, origin)).toBe(origin);
      }),
    );
    expect(canonicalResource(origin.toUpperCase(), origin)).toBe(origin);
  });

  it('is never given for another origin', () => {
    const origin = 'https://carrel.example';
    const foreign = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.string({ unit: 'binary' }),
      fc
        .tuple(fc.constantFrom('@', '.', ':', '#', '\\', '//', '%2f', '?@', ':443@', 'x'), fc.webUrl())
        .map(([mark, url]) => origin + mark + url),
    );
    fc.assert(
      fc.property(foreign, (value) => {
        const ours = canonicalResource(value, origin) === origin;
        expect(!ours || new URL(value).origin === origin).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    'https://carrel.example.evil.example',
    'https://carrel.example@evil.example/mcp',
    'https://user@carrel.example/mcp',
    'https://user:password@carrel.example',
    'https://carrel.example:8443',
    'http://carrel.example',
    'https://carrel.example/mcp#fragment',
    'https://carrel.example/mcp#',
    'https://carrel.example/admin',
    'https://carrel.example/mcp/tools',
    'https://carrel.example//mcp',
    'https://carrel.example/mcp//',
    'https://carrel.example/MCP',
    'carrel.example',
    '/mcp',
    '',
    'null',
  ])('of %s is itself, for the OAuth library to refuse', (value) => {
    expect(canonicalResource(value, 'https://carrel.example')).toBe(value);
  });

  it('in a form is named once for spellings that mean the same, and keeps what does not', () => {
    const form = new URLSearchParams(
      'a=1&resource=https://carrel.example/&resource=https://carrel.example/mcp&resource=https://b.example&b=2',
    );
    canonicaliseResources(form, 'https://carrel.example');
    expect(form.getAll('resource')).toEqual(['https://carrel.example', 'https://b.example']);
    expect([form.get('a'), form.get('b')]).toEqual(['1', '2']);
    const none = new URLSearchParams('a=1');
    canonicaliseResources(none, 'https://carrel.example');
    expect(none.toString()).toBe('a=1');
  });
});

describe('where to go after signing in', () => {
  const pieces = fc.constantFrom(
    '/',
    '//',
    '\\',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
    'evil.example',
    '@',
    ':',
    '?',
    '#',
    '\t',
    '\n',
    '\r',
    ' ',
    '\u{0}',
    'https:',
    'javascript:',
    'authorize',
    'a',
  );
  const hostile = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
  const anything = fc.oneof(
    hostile,
    hostile.map((rest) => `/${rest}`),
    fc.webUrl(),
    fc.string({ unit: 'binary' }),
  );

  it.each(ORIGINS)('never leads away from %s', (origin) => {
    fc.assert(
      fc.property(anything, (value) => {
        const path = safeReturnTo(value, origin);
        expect(path).toMatch(/^\//);
        // As a browser resolves it, from any page of ours.
        for (const page of ['/', '/sign-in?return_to=x', '/a/b/'])
          expect(new URL(path, origin + page).origin).toBe(origin);
        // What goes through the form and comes back stays what it is.
        expect(safeReturnTo(path, origin)).toBe(path);
      }),
      { numRuns: 5000 },
    );
  });

  it('is the path that was asked for, with its query', () => {
    for (const path of ['/', '/authorize?client_id=a&redirect_uri=https%3A%2F%2Fb.example', '/sign-in', '/a/b?c=//d'])
      expect(safeReturnTo(path, 'https://carrel.example')).toBe(path);
    for (const nowhere of [null, '', 'authorize', 'https://carrel.example/authorize', '?a'])
      expect(safeReturnTo(nowhere, 'https://carrel.example')).toBe('/');
  });
});
