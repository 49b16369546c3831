import { dispositionParameter } from './disposition-parameter.ts';
import { utf8 } from './encoding.ts';
import { CarrelError } from './errors.ts';

/** Gives the next bytes, undefined at the end. */
export type ReadBytes = () => Promise<Uint8Array | undefined>;

/** One part of a form. */
export interface FormPart {
  readonly name: string;
  /** Of a file; undefined for a field. */
  readonly filename: string | undefined;
  readonly type: string | undefined;
  /** Its bytes. What is not read of them is skipped when the next part is asked for. */
  readonly read: ReadBytes;
}

const MAX_HEADER_BYTES = 16 * 1024;
const DASHES = utf8('--');
const LINE_END = utf8('\r\n');
const BLANK_LINE = utf8('\r\n\r\n');

const broken = (what: string) => new CarrelError('invalid_input', `The form is broken: ${what}.`);

/** The boundary that a Content-Type names (RFC 2046 §5.1.1), or undefined. */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70})(?![^\s;]))/i.exec(contentType) ?? [];
  return quoted ?? plain;
}

/**
 * The parts of a multipart/form-data body (RFC 7578), while it comes: no more of it is held than what may be the
 * beginning of a boundary.
 *
 * @throws CarrelError `invalid_input`, also from a part's `read`, for a body that is none or ends too early
 */
export async function* formParts(next: ReadBytes, boundary: string): AsyncGenerator<FormPart> {
  const source = new Source(next);
  const delimiter = utf8(`\r\n--${boundary}`);
  // What comes before the first boundary is no part, and its line has none before it.
  source.unread(LINE_END);
  while (await source.upTo(delimiter));
  for (;;) {
    const after = await source.exactly(2);
    if (equal(after, DASHES)) return;
    if (!equal(after, LINE_END)) throw broken('something stands behind a boundary');
    let open = true;
    const headers = await headersOf(source);
    const read = async (): Promise<Uint8Array | undefined> => {
      if (!open) return undefined;
      const bytes = await source.upTo(delimiter);
      open = bytes !== undefined;
      return bytes;
    };
    yield { ...headers, read };
    while (await read());
  }
}

async function headersOf(source: Source): Promise<Omit<FormPart, 'read'>> {
  // Those of a part that has none end with the line of its boundary.
  source.unread(LINE_END);
  let text = '';
  const decoder = new TextDecoder();
  for (;;) {
    const bytes = await source.upTo(BLANK_LINE);
    if (!bytes) break;
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MAX_HEADER_BYTES) throw broken('the header of a part has no end');
  }
  text += decoder.decode();
  const header = (name: string) => new RegExp(`^${name}:[ \t]*(.*)$`, 'im').exec(text)?.[1]?.trim();
  const disposition = header('content-disposition') ?? '';
  const name = /^form-data\b/i.test(disposition) ? dispositionParameter(disposition, 'name') : undefined;
  if (name === undefined) throw broken('a part has no name');
  const filename = dispositionParameter(disposition, 'filename');
  return { name: unescaped(name), filename: filename && unescaped(filename), type: header('content-type') };
}

/** What browsers and curl encode of a name, and nothing else (html.spec.whatwg.org, "multipart/form-data"). */
function unescaped(name: string): string {
  return name.replaceAll('%22', '"').replaceAll(/%0D/gi, '\r').replaceAll(/%0A/gi, '\n');
}

/** Bytes that come in pieces, of which what was not used yet is kept. */
class Source {
  readonly #next: ReadBytes;
  #held: Uint8Array = new Uint8Array();

  constructor(next: ReadBytes) {
    this.#next = next;
  }

  unread(bytes: Uint8Array): void {
    this.#held = joined(bytes, this.#held);
  }

  /** The next bytes before a delimiter, and undefined once it is reached; it is used up then. */
  async upTo(delimiter: Uint8Array): Promise<Uint8Array | undefined> {
    for (;;) {
      const at = indexOf(this.#held, delimiter);
      if (at === 0) {
        this.#take(delimiter.byteLength);
        return undefined;
      }
      // The end of what is held may be the beginning of the delimiter.
      const sure = at > 0 ? at : this.#held.byteLength - delimiter.byteLength + 1;
      if (sure > 0) return this.#take(sure);
      await this.#fill();
    }
  }

  async exactly(length: number): Promise<Uint8Array> {
    while (this.#held.byteLength < length) await this.#fill();
    return this.#take(length);
  }

  #take(length: number): Uint8Array {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  async #fill(): Promise<void> {
    const piece = await this.#next();
    if (!piece) throw broken('it ends too early');
    this.#held = joined(this.#held, piece);
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.byteLength === 0) return other;
  const both = new Uint8Array(one.byteLength + other.byteLength);
  both.set(one);
  both.set(other, one.byteLength);
  return both;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, index) => byte === other[index]);
}

/** Where a few bytes stand in many; -1 where they do not. Steps over what cannot begin there (Horspool). */
function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  const last = wanted.byteLength - 1;
  const steps = new Map([...wanted.subarray(0, last)].map((byte, index) => [byte, last - index]));
  for (let at = 0; at + last < bytes.byteLength;) {
    const end = bytes[at + last] as number;
    if (end === wanted[last] && equal(wanted, bytes.subarray(at, at + last + 1))) return at;
    at += steps.get(end) ?? wanted.byteLength;
  }
  return -1;
}
