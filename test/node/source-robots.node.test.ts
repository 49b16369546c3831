import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isAllowed, readRobots } from '../../src/research/fetch/robots-rules.ts';

const allows = (robots: string, path: string) =>
  isAllowed(readRobots(robots, 'Carrel'), new URL(`https://example.com${path}`));

describe('robots.txt (RFC 9309)', () => {
  it.each([
    ['nothing said', '', '/a', true],
    ['a page in its place', '<!doctype html><p>user-agent: x', '/a', true],
    ['everybody is kept off', 'User-agent: *\nDisallow: /', '/a', false],
    ['everybody is let in', 'User-agent: *\nDisallow:', '/a', true],
    ['a rule before any group', 'Disallow: /\nUser-agent: *\nAllow: /', '/a', true],
    ['another product', 'User-agent: Googlebot\nDisallow: /', '/a', true],
    ['this product', 'User-agent: carrel\nDisallow: /', '/a', false],
    ['this product with a version', 'User-agent: Carrel/1.0\nDisallow: /', '/a', false],
    ['a product that begins like this one', 'User-agent: Carrel-Images\nDisallow: /', '/a', true],
    [
      'its own group in place of that of everybody',
      'User-agent: *\nDisallow: /\n\nUser-agent: Carrel\nDisallow: /b',
      '/a',
      true,
    ],
    ['its own group without a rule', 'User-agent: *\nDisallow: /\n\nUser-agent: Carrel\n', '/a', true],
    [
      'two groups of its own',
      'User-agent: Carrel\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: CARREL\nDisallow: /b',
      '/b',
      false,
    ],
    ['a group of several products', 'User-agent: x\nUser-agent: Carrel\nUser-agent: y\nDisallow: /a', '/a', false],
    [
      'a line of another kind in a group',
      'User-agent: Carrel\nSitemap: https://example.com/s\nUser-agent: x\nDisallow: /a',
      '/a',
      false,
    ],
    ['spaces, comments, case', '  USER-AGENT :  *  # all\r\n\tdisallow:/a # this\r', '/a', false],
    ['lines that end as they did long ago', 'User-agent: *\rDisallow: /a', '/a', false],
    ['a prefix', 'User-agent: *\nDisallow: /fish', '/fish.html?x=1', false],
    ['a prefix in another case', 'User-agent: *\nDisallow: /fish', '/Fish', true],
    ['a folder', 'User-agent: *\nDisallow: /fish/', '/fish', true],
    ['a query', 'User-agent: *\nDisallow: /*?print=', '/a?print=1', false],
    ['the longest', 'User-agent: *\nAllow: /p\nDisallow: /', '/page', true],
    ['the longest, the other way', 'User-agent: *\nDisallow: /page\nAllow: /p', '/page', false],
    ['two that are as long', 'User-agent: *\nDisallow: /folder\nAllow: /folder', '/folder/page', true],
    ['the end', 'User-agent: *\nDisallow: /*.php$', '/a.php', false],
    ['the end, and more', 'User-agent: *\nDisallow: /*.php$', '/a.php?x', true],
    ['the end twice', 'User-agent: *\nDisallow: /*.php$', '/a.php/b.php', false],
    ['the end of all', 'User-agent: *\nAllow: /$\nDisallow: /', '/', true],
    ['the end of all, and more', 'User-agent: *\nAllow: /$\nDisallow: /', '/a', false],
    ['a star in the middle', 'User-agent: *\nDisallow: /fish*.php', '/fishheads/catfish.php?id', false],
    ['a star that is too short', 'User-agent: *\nDisallow: /a*aa$', '/aa', true],
    ['many stars', 'User-agent: *\nDisallow: /**a***b', '/xxaxxb', false],
    ['an octet in either spelling', 'User-agent: *\nDisallow: /%7ea', '/~a', false],
    ['letters beyond ASCII', 'User-agent: *\nDisallow: /ä', '/%c3%a4', false],
    ['a star that is meant', 'User-agent: *\nDisallow: /a%2Ab', '/a*b', false],
    ['a dollar within', 'User-agent: *\nDisallow: /a$b', '/a$b', false],
    ['a slash that is encoded', 'User-agent: *\nDisallow: /a/b', '/a%2Fb', true],
  ])('%s', (_what, robots, path, allowed) => {
    expect(allows(robots, path)).toBe(allowed);
  });

  it('says how long to wait, and nobody else’s time', () => {
    const delay = (robots: string) => readRobots(robots, 'Carrel').crawlDelay;
    expect(delay('User-agent: *\nCrawl-delay: 2.5\nDisallow: /a')).toBe(2.5);
    expect(delay('User-agent: x\nCrawl-delay: 9\nDisallow: /a\nUser-agent: *\nDisallow:')).toBeUndefined();
    expect(delay('User-agent: *\nCrawl-delay: soon')).toBeUndefined();
    expect(delay('User-agent: *\nCrawl-delay: -1')).toBeUndefined();
  });

  it('matches as the same pattern does as a regular expression', () => {
    const letters = (all: string) =>
      fc.array(fc.constantFrom(...all.split('')), { maxLength: 9 }).map((each) => each.join(''));
    fc.assert(
      fc.property(letters('ab/*$'), letters('ab/'), (pattern, path) => {
        const escaped = pattern.replaceAll(/\$(?!$)/g, String.raw`\$`).replaceAll('*', '.*');
        expect(allows(`User-agent: *\nDisallow: /${pattern}`, `/${path}`)).toBe(
          !new RegExp(`^/${escaped}`).test(`/${path}`),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it('is read whatever it is, and costs no more for being written to cost', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof allows(text, '/a') === 'boolean'));
    const began = performance.now();
    for (const line of [
      'Disallow: /*a*a*a*a*a*a*a*a*b$\n',
      'Allow: /a\n',
      ':',
      '\r',
      '#',
      'User-agent: *\n',
      `Disallow: /${'*a'.repeat(1000)}\n`,
    ])
      allows(`User-agent: *\n${line.repeat(500_000 / line.length)}`, `/${'a'.repeat(7000)}`);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
