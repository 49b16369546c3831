import { Parser } from 'htmlparser2';

import { CarrelError } from '../../lib/errors.ts';

/** Bytes of one sitemap when it is unpacked, as sitemaps.org has it. */
export const MAX_SITEMAP_BYTES = 50 * 1024 * 1024;
/** UTF-16 code units of an address; those of sitemaps have fewer than 2,048 characters. */
const MAX_LOCATION = 2048;

/** What stands in a sitemap. */
export interface Sitemap {
  /** `index`: the addresses are of other sitemaps. */
  readonly kind: 'index' | 'pages';
  readonly addresses: readonly string[];
  /** Whether there are more than were wanted. */
  readonly more: boolean;
  /** Entries that are longer than addresses are. */
  readonly tooLong: number;
}

/**
 * Reads a sitemap as it comes: XML (sitemaps.org), plain text with an address a line, either packed with gzip. No more
 * is kept of it than what is wanted.
 *
 * @param wanted which addresses of pages count
 * @param bounds.skip as many of those come first and are left out; `count` and `characters`, how much is taken at most
 * @throws CarrelError `too_large`, `unsupported` for what is no sitemap, and whatever the stream ends with
 */
export async function readSitemap(
  stream: ReadableStream<Uint8Array>,
  wanted: (address: string) => boolean,
  bounds: { readonly skip: number; readonly count: number; readonly characters: number },
): Promise<Sitemap> {
  const taking = new Taking(wanted, bounds);
  const decoder = new TextDecoder();
  let reader: LocationReader | undefined;
  let head = '';
  let size = 0;
  for await (const piece of unpacked(stream)) {
    size += piece.byteLength;
    if (size > MAX_SITEMAP_BYTES) throw tooLarge();
    const text = decoder.decode(piece, { stream: true });
    if (reader) reader.write(text);
    else {
      // Blanks without end must not be held.
      head = (head + text).replace(/^\uFEFF/, '').trimStart();
      const isXml = head === '' ? undefined : head.startsWith('<');
      if (isXml === undefined) continue;
      reader = isXml ? new XmlLocations(taking) : new TextLocations(taking);
      reader.write(head);
    }
    if (taking.isFull) break;
  }
  // A file of a few blanks has not been told apart by now.
  reader ??= new TextLocations(taking);
  if (!taking.isFull) reader.end();
  if (reader instanceof XmlLocations && !reader.isSitemap)
    throw new CarrelError(
      'unsupported',
      'The address gives no sitemap. Give the address of a sitemap.xml, or the addresses themselves.',
      { details: { reason: 'no_sitemap' } },
    );
  return { kind: taking.kind, addresses: taking.addresses, more: taking.isFull, tooLong: taking.tooLong };
}

class Taking {
  kind: Sitemap['kind'] = 'pages';
  readonly addresses: string[] = [];
  isFull = false;
  tooLong = 0;
  readonly #wanted: (address: string) => boolean;
  #skip: number;
  #count: number;
  #characters: number;

  constructor(
    wanted: (address: string) => boolean,
    { skip, count, characters }: { readonly skip: number; readonly count: number; readonly characters: number },
  ) {
    this.#wanted = wanted;
    this.#skip = skip;
    this.#count = count;
    this.#characters = characters;
  }

  take(location: string, kind: Sitemap['kind']): void {
    const address = location.trim();
    if (address === '' || this.isFull) return;
    if (address.length > MAX_LOCATION) {
      this.tooLong += 1;
      return;
    }
    if (kind === 'index') this.kind = 'index';
    else if (!this.#wanted(address)) return;
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    if (this.#count === 0 || this.#characters < address.length) {
      this.isFull = true;
      return;
    }
    this.#count -= 1;
    this.#characters -= address.length;
    this.addresses.push(address);
  }
}

interface LocationReader {
  write(text: string): void;
  end(): void;
}

class XmlLocations implements LocationReader {
  isSitemap = false;
  readonly #parser: Parser;

  constructor(taking: Taking) {
    let within: Sitemap['kind'] | undefined;
    let text: string | undefined;
    this.#parser = new Parser(
      {
        onopentag: (name) => {
          if (name === 'urlset' || name === 'sitemapindex') this.isSitemap = true;
          if (name === 'url') within = 'pages';
          if (name === 'sitemap') within = 'index';
          // `image:loc` is none: pictures are no pages.
          if (name === 'loc' && within !== undefined) text = '';
        },
        ontext: (piece) => {
          if (text !== undefined && text.length <= MAX_LOCATION) text += piece;
        },
        onclosetag: (name) => {
          if (name === 'url' || name === 'sitemap') within = undefined;
          if (name !== 'loc') return;
          if (text !== undefined && within !== undefined && this.isSitemap) taking.take(text, within);
          text = undefined;
        },
      },
      { xmlMode: true, decodeEntities: true },
    );
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.end();
  }
}

class TextLocations implements LocationReader {
  readonly #taking: Taking;
  #rest = '';

  constructor(taking: Taking) {
    this.#taking = taking;
  }

  write(text: string): void {
    const lines = (this.#rest + text).split(/\r\n?|\n/);
    this.#rest = (lines.pop() ?? '').slice(0, MAX_LOCATION + 1);
    for (const line of lines) this.#take(line);
  }

  end(): void {
    this.#take(this.#rest);
  }

  #take(line: string): void {
    if (/^\uFEFF?\s*https?:\/\//i.test(line)) this.#taking.take(line.replace(/^\uFEFF/, ''), 'pages');
  }
}

/** The bytes, and of what is packed with gzip what is in it: by its first bytes, because servers name it in many ways. */
async function* unpacked(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const first: Uint8Array[] = [];
  let held = 0;
  while (held < 2) {
    const { value } = await reader.read();
    if (!value) break;
    first.push(value);
    held += value.byteLength;
  }
  const [one, two] = first.flatMap((piece) => [...piece.subarray(0, 2)]);
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      for (;;) {
        const { value } = await reader.read();
        if (!value) return;
        yield value;
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }
  if (one !== 0x1f || two !== 0x8b) {
    yield* all();
    return;
  }
  yield* inflated(all());
}

async function* inflated(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = (writable as WritableStream<Uint8Array>).getWriter();
  const feeding = (async () => {
    try {
      for await (const piece of pieces) await writer.write(piece);
      await writer.close();
    } catch (thrown) {
      await writer.abort(thrown).catch(() => undefined);
      throw thrown;
    }
  })();
  // What it ends with is told where it is awaited; whoever leaves before does not want to know.
  feeding.catch(() => undefined);
  const reader = readable.getReader();
  try {
    for (;;) {
      const { value } = await reader.read().catch(async (cause: unknown) => {
        await feeding.catch((thrown: unknown) => {
          if (thrown instanceof CarrelError) throw thrown;
        });
        throw new CarrelError('unsupported', 'The sitemap is packed with gzip, and broken.', {
          details: { reason: 'no_sitemap' },
          cause,
        });
      });
      if (!value) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

const tooLarge = () =>
  new CarrelError('too_large', 'The sitemap is larger than sitemaps may be. Give one of its parts.', {
    details: { limit: MAX_SITEMAP_BYTES },
  });
