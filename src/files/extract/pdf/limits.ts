import { changed } from './core.ts';
import type {
  Core,
  CoreCatalog,
  CoreCharacterMap,
  CoreDictionary,
  CoreEvaluator,
  CoreLexer,
  CoreMakers,
  CoreName,
  CoreParser,
  CoreStateManager,
  CoreStream,
  CoreXref,
  FontRequest,
} from './core.ts';
import { FONT_FILES, textualProgram } from './fonts.ts';
import { chargeAll, meterOf, overflowAll } from './meter.ts';
import type { PdfMeter } from './meter.ts';

/* What things cost in bytes decoded, each of which takes about 30 ns. */

/** A number, name, string or operator. */
const TOKEN_COST = 32;
/** To find and parse one object. */
const OBJECT_COST = 1024;
/** To load a font besides its streams: 12 KB are kept of the smallest. */
const FONT_COST = 64 * 1024;
/** To map one character of a font to another. */
const CHARACTER_COST = 16;

/** Bytes of one token of what is drawn: a string becomes an array of its characters, and then of its glyphs. */
const DRAWN_TOKEN_BYTES = 1_000_000;
/** Bytes of one token elsewhere. Where a stream does not have the length that it says, its bytes are taken for one. */
const TOKEN_BYTES = 4_000_000;
/** Tokens inside one array or dictionary, those nested in it among them. */
const NESTED_TOKENS = 500_000;
/** Graphics states that are saved and not yet restored. Unbalanced ones of a page are a few thousand at most. */
const SAVED_STATES = 10_000;
/** Bytes of XMP metadata, which become a tree of nodes. */
const METADATA_BYTES = 256 * 1024;
/** Characters that one character map may map, or a font have widths for. Unicode has 65,536 in a plane. */
const MAPPED_CHARACTERS = 0x4_00_00;
/** Bytes of a map from characters to glyphs: two for each of the 65,536 that there can be. */
const GLYPH_MAP_BYTES = 2 * 0x1_00_00;
/** Ranges of codes that a character map distinguishes, all of which are gone through for each character. */
const CODESPACE_RANGES = 1000;
/** Flags of a font descriptor (ISO 32000 §9.8.2). */
const SYMBOLIC = 4;
const NONSYMBOLIC = 32;
/** The greatest code of a font with one byte a character is 255; some count on from there. */
const GREATEST_CODE = 0xff_ff;

/**
 * Puts limits into pdf.js, which has none: it inflates whatever a stream holds into one buffer, follows a
 * form that draws itself in ever more forms, and fills tables that a few bytes declare. All of that passes
 * through a handful of methods, which from here on ask the document's {@link PdfMeter} first. It works for
 * every filter, chain of filters and encryption, which no look at the file from outside could do.
 *
 * @throws Error when pdf.js is not as this was written for; it must not be used then
 */
export function limitPdf(core: Core): void {
  limitStreams(core);
  limitTokens(core);
  limitObjects(core);
  limitFonts(core);
}

function limitStreams({ decodingStream, flateStream, jpegStream, brotliStream }: Core): void {
  override(decodingStream, (original) => ({
    ensureBuffer(this: CoreStream, requested) {
      const before = this.buffer.byteLength;
      if (requested <= before) return this.buffer;
      const meter = meterFor(this.dict?.xref ?? this.streams?.[0]?.dict?.xref);
      meter?.bound(requested, meter.limits.streamBytes);
      const buffer = original.ensureBuffer.call(this, requested);
      meter?.charge(buffer.byteLength - before);
      return buffer;
    },
  }));
  // Decoding with the runtime's DecompressionStream would gather all that comes, past `ensureBuffer`.
  for (const synchronous of [flateStream, brotliStream])
    override(synchronous, () => ({
      get isAsync() {
        return false;
      },
    }));
  // Pictures are not looked at, and Brotli decodes into buffers of its own.
  for (const refused of [jpegStream, brotliStream])
    override(refused, () => ({
      readBlock() {
        throw new Error('Not decoded for text');
      },
    }));
}

function limitTokens({ lexer, parser, stateManager }: Core): void {
  // Reading a token is never interrupted by reading another.
  let bytesLeft = TOKEN_BYTES;
  override(lexer, (original) => ({
    getObj(this: CoreLexer) {
      bytesLeft = this.knownCommands ? DRAWN_TOKEN_BYTES : TOKEN_BYTES;
      return original.getObj.call(this);
    },
    nextChar(this: CoreLexer) {
      bytesLeft -= 1;
      if (bytesLeft < 0) {
        // The next lexer begins with a character before it comes to a token.
        bytesLeft = TOKEN_BYTES;
        // A lexer does not know its document.
        overflowAll();
      }
      return original.nextChar.call(this);
    },
  }));
  let depth = 0;
  let tokens = 0;
  override(parser, (original) => ({
    getObj(this: CoreParser, ...input) {
      const meter = meterFor(this.xref);
      meter?.charge(TOKEN_COST);
      tokens = depth === 0 ? 0 : tokens + 1;
      meter?.bound(tokens, NESTED_TOKENS);
      depth += 1;
      try {
        return original.getObj.apply(this, input);
      } finally {
        depth -= 1;
      }
    },
  }));
  override(stateManager, (original) => ({
    save(this: CoreStateManager) {
      // A state that is not saved is at worst restored wrongly, long after anything sensible.
      if (this.stateStack.length < SAVED_STATES) original.save.call(this);
    },
  }));
}

function limitObjects({ xref, rawStream, catalog }: Core): void {
  function charged(of: CoreXref, fetch: () => unknown): unknown {
    const meter = meterFor(of);
    meter?.charge(OBJECT_COST);
    const found = fetch();
    if (typeof found === 'object' && found !== null && Object.getPrototypeOf(found) === rawStream) {
      // What is not encoded is read without `ensureBuffer`.
      const { length } = found as CoreStream;
      meter?.bound(length, meter.limits.streamBytes);
      meter?.charge(length);
    }
    return found;
  }
  override(xref, (original) => ({
    fetchUncompressed(this: CoreXref, ...input) {
      return charged(this, () => original.fetchUncompressed.apply(this, input));
    },
    fetchCompressed(this: CoreXref, ...input) {
      return charged(this, () => original.fetchCompressed.apply(this, input));
    },
    processXRefTable(this: CoreXref, parser) {
      boundObjects(this, countTableEntries(this.stream.bytes, this.stream.pos));
      return original.processXRefTable.call(this, parser);
    },
    readXRefStream(this: CoreXref, ...input) {
      const { entryRanges = [], byteWidths = [] } = this.streamState ?? {};
      // Entries of no bytes would never come to the stream's end.
      const width = byteWidths.reduce((sum, each) => sum + each, 0);
      const count = entryRanges.reduce((sum, each, index) => (index % 2 === 1 ? sum + each : sum), 0);
      boundObjects(this, width > 0 ? count : Infinity);
      return original.readXRefStream.apply(this, input);
    },
    indexObjects(this: CoreXref) {
      boundObjects(this, countObjects(this.stream.bytes));
      return original.indexObjects.call(this);
    },
  }));
  override(catalog, (original) => ({
    get metadata(): unknown {
      const self = this as CoreCatalog;
      const read = (): unknown => Reflect.get(original, 'metadata', self);
      const meter = meterFor(self.xref);
      return meter ? meter.withStreams(METADATA_BYTES, read) : read();
    },
  }));
}

function limitFonts({ evaluator, font, characterMap, make }: Core): void {
  override(evaluator, (original) => ({
    async translateFont(this: CoreEvaluator, request) {
      meterFor(this.xref)?.charge(FONT_COST);
      const restore = replaceProgram(make, this.xref, request);
      try {
        return await original.translateFont.call(this, withinCodes(request));
      } finally {
        // What stays with the document must not grow with its fonts.
        restore();
      }
    },
    extractWidths(this: CoreEvaluator, dictionary, ...more) {
      const widths = countWidths(this.xref, dictionary, 'W', 1) + countWidths(this.xref, dictionary, 'W2', 3);
      meterFor(this.xref)?.bound(widths, MAPPED_CHARACTERS);
      original.extractWidths.call(this, dictionary, ...more);
    },
    readCidToGidMap(this: CoreEvaluator, data, ...more) {
      return original.readCidToGidMap.call(this, data.subarray(0, GLYPH_MAP_BYTES), ...more);
    },
  }));
  override(font, () => ({
    // How glyphs are drawn by operators, pictures and functions says nothing of what they mean.
    loadType3Data: async () => undefined,
  }));
  const mapped = new WeakMap<object, number>();
  function chargeRange(map: object, from: number, to: number): void {
    const size = Math.max(0, to - from + 1);
    const count = (mapped.get(map) ?? 0) + size;
    // A map does not know its document.
    if (count > MAPPED_CHARACTERS) overflowAll();
    mapped.set(map, count);
    chargeAll(CHARACTER_COST * size);
  }
  override(characterMap, (original) => ({
    addCodespaceRange(this: CoreCharacterMap, ...input) {
      if (this.numCodespaceRanges < CODESPACE_RANGES) original.addCodespaceRange.apply(this, input);
    },
    mapCidRange(this: CoreCharacterMap, from, to, target) {
      chargeRange(this, from, to);
      original.mapCidRange.call(this, from, to, target);
    },
    mapBfRange(this: CoreCharacterMap, from, to, target) {
      chargeRange(this, from, to);
      original.mapBfRange.call(this, from, to, target);
    },
    mapBfRangeToArray(this: CoreCharacterMap, from, to, target) {
      chargeRange(this, from, to);
      original.mapBfRangeToArray.call(this, from, to, target);
    },
  }));
}

/** Gives a font a program that has only what is needed for text. @returns what puts the old one back */
function replaceProgram(make: CoreMakers, xref: CoreXref, request: FontRequest): () => void {
  const { dict, descriptor } = request;
  const name = FONT_FILES.find((key) => descriptor?.has(key));
  const file = name === undefined ? undefined : descriptor?.get(name);
  if (!descriptor || name === undefined || typeof file !== 'object' || file === null || !('getBytes' in file))
    return () => undefined;
  const raw = descriptor.getRaw(name);
  const program = textualProgram((file as CoreStream).getBytes());
  // A composite font has character maps in the place of encodings.
  if (program.kind === 'encoding' && request.composite !== true)
    addEncoding(make, xref, dict, descriptor, program.encoding);
  descriptor.set(name, program.kind === 'program' ? make.stream(program.bytes, (file as CoreStream).dict) : null);
  return () => descriptor.set(name, raw);
}

/** Gives a font the encoding of its program, where it says none itself (ISO 32000 §9.6.5). */
function addEncoding(
  make: CoreMakers,
  xref: CoreXref,
  dictionary: CoreDictionary,
  descriptor: CoreDictionary,
  encoding: ReadonlyMap<number, string> | string | undefined,
): void {
  if (encoding === 'StandardEncoding' && !dictionary.has('ToUnicode')) {
    const flags = descriptor.get('Flags');
    descriptor.set('Flags', ((typeof flags === 'number' ? flags : 0) & ~SYMBOLIC) | NONSYMBOLIC);
  }
  const own = dictionary.get('Encoding');
  if (encoding === undefined || typeof encoding === 'string') return;
  const isDictionary = typeof own === 'object' && own !== null && 'getRaw' in own;
  const base = (isDictionary ? (own as CoreDictionary).get('BaseEncoding') : own) as Partial<CoreName> | undefined;
  // Names of others mean nothing, here as in pdf.js.
  if (/^(?:MacRoman|MacExpert|WinAnsi)Encoding$/.test(base?.name ?? '')) return;
  const differences = isDictionary ? (own as CoreDictionary).get('Differences') : undefined;
  const merged = make.dictionary(xref);
  merged.set('Differences', [
    ...[...encoding].flatMap(([code, glyph]) => [code, make.name(glyph)]),
    ...(Array.isArray(differences) ? (differences as unknown[]) : []),
  ]);
  dictionary.set('Encoding', merged);
}

/** The widths of a composite font that ranges declare (ISO 32000 §9.7.4.3). @param values after each range */
function countWidths(xref: CoreXref, dictionary: CoreDictionary, key: string, values: number): number {
  const list = dictionary.get(key);
  if (!Array.isArray(list)) return 0;
  let count = 0;
  for (let at = 0; at < list.length; at++) {
    const first = xref.fetchIfRef(list[at]);
    at += 1;
    const next = xref.fetchIfRef(list[at]);
    if (typeof first !== 'number' || typeof next !== 'number') continue;
    count += Math.max(0, next - first + 1);
    at += values;
  }
  return count;
}

function withinCodes(request: FontRequest): FontRequest {
  const within = (code: unknown) => (typeof code === 'number' ? Math.min(Math.max(0, code), GREATEST_CODE) : code);
  return { ...request, firstChar: within(request.firstChar), lastChar: within(request.lastChar) };
}

function meterFor(xref: CoreXref | null | undefined): PdfMeter | undefined {
  return xref ? meterOf(xref.pdfManager.docId) : undefined;
}

function boundObjects(xref: CoreXref, count: number): void {
  const meter = meterFor(xref);
  meter?.charge(OBJECT_COST);
  meter?.bound(count, meter.limits.objects);
}

/** Entries of a cross-reference table up to its trailer: each has one `n` or one `f`. */
function countTableEntries(bytes: Uint8Array, from: number): number {
  let count = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x6e || byte === 0x66) count += 1;
    else if (byte === 0x74) break;
  }
  return count;
}

/** Objects of a file whose cross-reference table is not used: each has an `obj` that no `d` stands before. */
function countObjects(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(0x6a); at !== -1; at = bytes.indexOf(0x6a, at + 1))
    if (bytes[at - 1] === 0x62 && bytes[at - 2] === 0x6f && bytes[at - 3] !== 0x64) count += 1;
  return count;
}

/**
 * Puts methods in the place of those of a class, for all its objects.
 *
 * @param replacement is given the methods as they were
 */
function override<Of extends object>(prototype: Of, replacement: (original: Of) => Partial<Of>): void {
  const before = Object.getOwnPropertyDescriptors(prototype);
  const replaced = Object.getOwnPropertyDescriptors(replacement(Object.create(null, before) as Of));
  for (const [name, descriptor] of Object.entries(replaced)) {
    if (!Object.hasOwn(before, name)) throw changed();
    Object.defineProperty(prototype, name, { ...descriptor, enumerable: false });
  }
}
