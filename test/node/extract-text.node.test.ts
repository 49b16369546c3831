import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { normaliseText, oneLine } from '../../src/files/extract/normalise.ts';
import { joined, utf8 } from '../../src/lib/encoding.ts';
import { latin1, utf16le } from '../fixtures/files/bytes.ts';
import { onlyPart, partsOf, reasonOf, textOf } from '../fixtures/files/extracting.ts';

describe('normalised text', () => {
  it.each([
    ['a\r\nb\rc\u2028d', 'a\nb\nc\nd'],
    ['e\u0301', '\u00e9'],
    ['nul\0 bell\u0007 csi\u009b tab\t', 'nul bell csi tab\t'],
    ['\uFEFFmark', 'mark'],
    ['exam\u00ADple', 'example'],
    ['exam\u00AD\nple', 'example'],
    ['end\u00AD\n1. list', 'end\n1. list'],
    ['o\uFB03ce \uFB01ne', 'office fine'],
    ['a\n\n\n\n \t\n\n\nb', 'a\n\n\nb'],
    ['half \uD83D pair', 'half \uFFFD pair'],
    ['non\u00A0breaking', 'non\u00A0breaking'],
  ])('makes %j %j', (text, expected) => {
    expect(normaliseText(text)).toBe(expected);
  });

  it('is normalised once and for all', () => {
    const nasty = fc.string({
      unit: fc.constantFrom(...Array.from(' \t\n\r\f\0abc\u00ad\ufb01\u0301\u2028'), '\ud83d', '\ude00'),
    });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nasty), (text) => {
        const once = normaliseText(text);
        expect(normaliseText(once)).toBe(once);
        expect(once.isWellFormed()).toBe(true);
        expect(once).not.toMatch(/(?![\t\n])\p{Cc}|\n{4}/u);
      }),
      { numRuns: 500 },
    );
  });

  it('becomes one line of a given length', () => {
    expect(oneLine('  two\n words\u00ad ', 20)).toBe('two words');
    expect(oneLine('abc def ghi', 5)).toBe('abc…');
    expect(oneLine('ab😀cd', 4)).toBe('ab…');
  });
});

describe('plain text', () => {
  it('is one part', async () => {
    expect(await textOf('  indented\r\nlines\n', 'text/plain; charset=utf-8')).toEqual({
      kind: 'text',
      unit: 'text',
      parts: [{ label: '', text: '  indented\nlines\n' }],
      title: undefined,
      truncated: false,
    });
  });

  it.each([
    'text/csv',
    'text/tab-separated-values',
    'application/json',
    'application/x-ndjson',
    'application/xml',
    'text/x-python',
    'image/svg+xml',
  ])('is what %s is', async (type) => {
    expect(await onlyPart('<a>&lt;1,2</a>', type)).toBe('<a>&lt;1,2</a>');
  });

  it.each([
    ['UTF-8 with a mark', joined([Uint8Array.of(0xef, 0xbb, 0xbf), utf8('naïve')]), 'naïve'],
    ['UTF-16, little-endian', joined([Uint8Array.of(0xff, 0xfe), utf16le('naïve')]), 'naïve'],
    ['UTF-16, big-endian', Uint8Array.of(0xfe, 0xff, 0, 0x6e, 0, 0xef), 'nï'],
    ['something else', Uint8Array.of(0x6e, 0xef, 0x76), 'n\uFFFDv'],
    [
      'XML that says what it is',
      latin1('<?xml version="1.0" encoding="ISO-8859-1"?><a>na\u00efve</a>'),
      '<?xml version="1.0" encoding="ISO-8859-1"?><a>naïve</a>',
    ],
    [
      'XML that says so wrongly',
      utf8('<?xml version="1.0" encoding="ISO-8859-1"?><a>naïve</a>'),
      '<?xml version="1.0" encoding="ISO-8859-1"?><a>naïve</a>',
    ],
    [
      'XML in an encoding of its own',
      utf8('<?xml version="1.0" encoding="x-mine"?><a>naïve</a>'),
      '<?xml version="1.0" encoding="x-mine"?><a>naïve</a>',
    ],
  ])('is decoded from %s', async (_, bytes, expected) => {
    expect(await onlyPart(bytes, 'application/xml')).toBe(expected);
  });

  it('keeps characters whole where pieces of a large file meet', async () => {
    const text = `x${'€'.repeat(50_000)}`;
    expect(await onlyPart(text, 'text/plain')).toBe(text);
  });

  it('is cut between characters where there is more than may be', async () => {
    const extraction = await textOf('abc😀def', 'text/plain', { limits: { characters: 4 } });
    expect([extraction.parts[0]!.text, extraction.truncated]).toEqual(['abc', true]);
  });

  it('is none of an empty file, of a type that nobody reads, of too many bytes, of no time', async () => {
    expect(await reasonOf('', 'text/plain')).toBe('no_text');
    expect(await reasonOf(' \n ', 'text/plain')).toBe('no_text');
    expect(await reasonOf('x', 'image/png')).toBe('unsupported');
    expect(await reasonOf('x', '')).toBe('unsupported');
    expect(await reasonOf('12345', 'text/plain', { limits: { inputBytes: 4 } })).toBe('too_large');
    for (const type of ['text/plain', 'text/html', 'text/markdown'])
      expect(await reasonOf('# x', type, { limits: { milliseconds: 0 } }), type).toBe('too_slow');
  });
});

describe('HTML', () => {
  const html = 'text/html';

  it('has sections below its headings, a title, and no markup', async () => {
    const page = `<!doctype html><html><head><title>The &amp; <b>title</b></title><style>p{}</style></head>
      <body><nav><a href="/">Home</a></nav><h1>First<br>heading</h1><p>One &eacute;l&#xe8;ve,
      <em>two</em>.</p><h2></h2><p>Three<br>four</p><h2>Second <!-- no --> heading</h2><ul><li>five<li>six</ul></body></html>`;
    expect(await textOf(page, html)).toEqual({
      kind: 'text',
      unit: 'section',
      parts: [
        { label: '', text: 'Home' },
        { label: 'First heading', text: 'First heading\n\nOne élève, two.\n\nThree\nfour' },
        { label: 'Second heading', text: 'Second heading\n\n- five\n- six' },
      ],
      title: 'The & <b>title</b>',
      truncated: false,
    });
  });

  it.each([
    ['<p>a<script>alert("<p>no</p>")</script>b', 'ab'],
    ['<p>a<style>no</style><template><p>no</p></template><noscript>no</noscript>b', 'ab'],
    ['<p>a</p><p hidden>no <b>no</b> no</p><p>b', 'a\n\nb'],
    ['<p>a<span style="color:red; display : none">no<span>no</span></span>b', 'ab'],
    ['<p>a<span style="VISIBILITY:hidden">no</span>b<i style="visibility:visible">c</i>', 'abc'],
    ['<dialog>no</dialog><dialog open>yes</dialog>', 'yes'],
    ['<svg><title>no</title><text>yes</text></svg>', 'yes'],
    ['<math><semantics><mi>x</mi><annotation encoding="application/x-tex">no</annotation></semantics></math>', 'x'],
    ['<select><option>no</select>yes<textarea> kept  as it is </textarea>', 'yes kept  as it is'],
    ['<div hidden><div>no</div>no</div>yes', 'yes'],
    ['a<br>b<br><br>c', 'a\nb\nc'],
    ['<p>one<pre>\n  two\n    spaces</pre>after', 'one\n\n  two\n    spaces\n\nafter'],
    ['before<table><tr> <td> </td> <td></td> <td> 3</td> </tr> <tr><td>4</table>', 'before\n\n\t\t3\n4'],
    [
      '<table><tr><td><p>1</p><p>2</p></td><td></td><td>3</td></tr><tr><td></td></tr></table><p>after',
      '1\n\n2\t\t3\n\nafter',
    ],
    ['<table><tr><th>a<th>b<tr><td>1<td><p>2</p></table>', 'a\tb\n1\t2'],
    ['a &lt;b&gt; &nbsp; &bogus; &notit; &#0; &#x1F600;', 'a <b> \u00A0 &bogus; ¬it; \uFFFD 😀'],
    ['<p>unclosed <b>bold <p>next', 'unclosed bold\n\nnext'],
    ['</p></div>text</body></html>after', 'textafter'],
    ['a<img alt="no">b<input value="no"><p>c', 'ab\n\nc'],
    ['<plaintext><b>as it is', '<b>as it is'],
  ])('shows %j as %j', async (markup, expected) => {
    expect(await onlyPart(markup, html)).toBe(expected);
  });

  it('is decoded as it declares, unless it is UTF-8', async () => {
    expect(await onlyPart(latin1('<meta charset="windows-1252"><p>\u0080 na\u00efve'), html)).toBe('€ naïve');
    expect(
      await onlyPart('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>naïve', html),
    ).toBe('naïve');
  });

  it('is one text however it falls into pieces', async () => {
    const filler = '<p>lorem ipsum dolor sit amet &amp; more</p>'.repeat(4000);
    const text = await onlyPart(`${filler}<b>fin`, html);
    expect(text).toMatch(/^(?:lorem ipsum dolor sit amet & more\n\n){4000}fin$/);
  });

  it('has no more sections than may be, and keeps their text', async () => {
    const parts = await partsOf('<h1>a</h1>1<h1>b</h1>2<h1>c</h1>3', html, { limits: { sections: 2 } });
    expect(parts).toEqual([
      ['a', 'a\n\n1'],
      ['b', 'b\n\n2\n\nc\n\n3'],
    ]);
  });

  it('takes a heading that is never closed for text', async () => {
    const parts = await partsOf(`<h1>${'word '.repeat(500)}<div>more</div>`, html);
    expect(parts[0]![0]).toHaveLength(200);
    expect(parts[0]![1]).toMatch(/word word\n\nmore$/);
  });
});

describe('Markdown', () => {
  const markdown = 'text/markdown';

  it('has sections below its headings, as it is written', async () => {
    const text =
      'before\n\n# First #\ntext\n```\n# no heading\n```\nSecond\n===\n\nThird\n---\n- item\n---\n####### no\n## \nend\n';
    expect(await partsOf(text, markdown)).toEqual([
      ['', 'before'],
      ['First', '# First #\ntext\n```\n# no heading\n```'],
      ['Second', 'Second\n==='],
      ['Third', 'Third\n---\n- item\n---\n####### no'],
      ['', '## \nend'],
    ]);
  });

  it('has the title of its front matter, or else its first heading of the first level', async () => {
    expect((await textOf('---\ntitle: "From the front"\n---\n# Heading\n', markdown)).title).toBe('From the front');
    expect((await textOf('## Second\n# Heading\r\ntext', markdown)).title).toBe('Heading');
    expect((await textOf('text', markdown)).title).toBeUndefined();
  });

  it.each([
    ['# a\r\n# b', ['a', 'b']],
    ['  ### a ###\n#b\n# c#\n#\td', ['a', 'c#', 'd']],
    ['~~~\n# no\n```\n~~~\n# yes', ['', 'yes']],
    ['````\n```\n# no\n````\n# yes', ['', 'yes']],
    ['| a |\n|---|\n\n---\n> quote\n---', ['']],
    [`# ${'#'.repeat(2000)}`, ['']],
  ])('has of %j the headings %j', async (text, labels) => {
    expect((await textOf(text, markdown)).parts.map(({ label }) => label)).toEqual(labels);
  });
});
