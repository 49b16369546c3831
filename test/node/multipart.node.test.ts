import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dispositionParameter } from '../../src/lib/disposition-parameter.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { boundaryOf, formParts } from '../../src/lib/multipart.ts';

interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

/** Bytes in pieces that end at these places. */
function pieces(bytes: Uint8Array, ends: readonly number[]): () => Promise<Uint8Array | undefined> {
  const cuts = [...new Set([0, ...ends.map((end) => end % bytes.byteLength), bytes.byteLength])].toSorted(
    (a, b) => a - b,
  );
  let index = 0;
  return async () => (++index < cuts.length ? bytes.slice(cuts[index - 1], cuts[index]) : undefined);
}

async function parse(bytes: Uint8Array, boundary: string, ends: readonly number[] = []): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const { read, ...part } of formParts(pieces(bytes, ends), boundary)) {
    let text = '';
    const decoder = new TextDecoder('latin1');
    for (let piece = await read(); piece; piece = await read()) text += decoder.decode(piece, { stream: true });
    parts.push({ ...part, text });
  }
  return parts;
}

const form = (...parts: string[]) =>
  utf8(`${parts.map((part) => `--XX\r\nContent-Disposition: form-data; ${part}\r\n`).join('')}--XX--\r\n`);

describe('a form', () => {
  it('has the parts that a browser puts into it, whatever is in them and wherever it is cut', async () => {
    const content = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom('\r', '\n', '-', '--', '\r\n--', '\r\n------', 'x')).map((all) => all.join('')),
    );
    const field = fc.record({ name: fc.string({ minLength: 1 }), value: content });
    const file = fc.record({
      name: fc.string({ minLength: 1 }),
      value: content,
      filename: fc.string({ unit: 'grapheme', minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(field, file), { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        async (entries, ends) => {
          const data = new FormData();
          for (const entry of entries)
            if ('filename' in entry) data.append(entry.name, new Blob([entry.value]), entry.filename);
            else data.append(entry.name, entry.value);
          const sent = new Response(data);
          const boundary = boundaryOf(sent.headers.get('Content-Type') ?? '') ?? '';
          const bytes = new Uint8Array(await sent.arrayBuffer());
          const parts = await parse(bytes, boundary, ends);
          expect(parts.map(({ text }) => text)).toEqual(
            // Fields come with the line ends of a form, files as they are.
            entries.map(({ value, ...entry }) =>
              new TextDecoder('latin1').decode(
                utf8('filename' in entry ? value : value.toWellFormed().replaceAll(/\r\n?|\n/g, '\r\n')),
              ),
            ),
          );
          expect(parts.map(({ filename }) => filename === undefined)).toEqual(
            entries.map((entry) => !('filename' in entry)),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is the same wherever it is cut', async () => {
    const bytes = form(
      'name="session"\r\n\r\nq3',
      'name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello',
      'name="e"; filename=""\r\n\r\n',
    );
    const whole = [
      { name: 'session', filename: undefined, type: undefined, text: 'q3' },
      { name: 'file', filename: 'a.txt', type: 'text/plain', text: 'hello' },
      { name: 'e', filename: '', type: undefined, text: '' },
    ];
    for (let cut = 1; cut < bytes.byteLength; cut++) expect(await parse(bytes, 'XX', [cut])).toEqual(whole);
    expect(await parse(bytes, 'XX', [...bytes.keys()])).toEqual(whole);
  });

  it('has names in which quotes and the ends of lines were encoded', async () => {
    const encoded = form('name="a%22b"; filename="x%22%0d%0A%41.txt"\r\n\r\n1');
    expect(await parse(encoded, 'XX')).toMatchObject([{ name: 'a"b', filename: 'x"\r\n%41.txt' }]);
  });

  it('may have something before and behind it, and nothing in it', async () => {
    const one = form('name="a"\r\n\r\n1');
    const around = new Uint8Array([...utf8('nothing of it\r\n'), ...one, ...utf8('nor this')]);
    expect(await parse(around, 'XX')).toMatchObject([{ name: 'a', text: '1' }]);
    expect(await parse(utf8('--XX--\r\n'), 'XX')).toEqual([]);
  });

  it('goes on with the next part where one was not read', async () => {
    const names: string[] = [];
    for await (const { name } of formParts(pieces(form('name="a"\r\n\r\n1', 'name="b"\r\n\r\n2'), [50]), 'XX'))
      names.push(name);
    expect(names).toEqual(['a', 'b']);
  });

  it.each([
    ['nothing', ''],
    ['no boundary', 'hello'],
    ['another boundary', '--YY\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--YY--'],
    ['an end in the middle of a part', '--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'],
    ['an end in the middle of the last boundary', '--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--XX-'],
    ['an end in a header', '--XX\r\nContent-Disp'],
    ['a header without an end', `--XX\r\n${'x: y\r\n'.repeat(10_000)}`],
    ['a part without a header', '--XX\r\n\r\n1\r\n--XX--'],
    ['a part without a name', '--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--'],
    ['a part that is no field of a form', '--XX\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--XX--'],
    ['something behind a boundary', '--XX!\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--XX--'],
  ])('with %s is refused', async (_what, text) => {
    await expect(parse(utf8(text), 'XX', [5, 60])).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

describe('a file of a form', () => {
  it.each([
    ['form-data; name="file"; filename="отчёт 🦊.txt"', 'отчёт 🦊.txt'],
    ['form-data; name="file"; filename="it\'s; x.txt"', "it's; x.txt"],
    [String.raw`form-data; name="file"; filename="say \"hi\".txt"`, 'say "hi".txt'],
    [String.raw`form-data; name="file"; filename="C:\Users\x.txt"`, String.raw`C:\Users\x.txt`],
    ['form-data; name="file"; filename=bare.txt', 'bare.txt'],
    [`form-data; name="file"; filename="o"; filename*=UTF-8''%D0%BE.txt`, 'о.txt'],
    ['form-data; name="filename"', undefined],
  ])('%s', (header, name) => {
    expect(dispositionParameter(header, 'filename')).toBe(name);
  });
});

describe('the boundary of a form', () => {
  it.each([
    ['multipart/form-data; boundary=----WebKitFormBoundaryAbC', '----WebKitFormBoundaryAbC'],
    ['multipart/form-data; charset=utf-8; BOUNDARY="a b=;c"', 'a b=;c'],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary=', undefined],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, undefined],
  ])('%s', (header, boundary) => {
    expect(boundaryOf(header)).toBe(boundary);
  });
});
