import { PROBED_FILTERS } from './probe.ts';

/*
 * What is used of the classes inside pdf.js 6.1. It exports none of them, and no way to limit them.
 */

export interface CoreDictionary {
  readonly xref?: CoreXref | null;
  get(key: string): unknown;
  getRaw(key: string): unknown;
  has(key: string): boolean;
  set(key: string, value: unknown): void;
}

export interface CoreName {
  readonly name: string;
}

export interface CoreStream {
  readonly dict?: CoreDictionary | null;
  readonly streams?: readonly CoreStream[];
  readonly buffer: Uint8Array;
  readonly length: number;
  readonly isAsync: boolean;
  ensureBuffer(requested: number): Uint8Array;
  readBlock(): void;
  getBytes(): Uint8Array;
}

export interface CoreXref {
  readonly pdfManager: { readonly docId: string; readonly pdfDocument: CoreDocument };
  readonly stream: { readonly bytes: Uint8Array; readonly pos: number };
  readonly streamState?: { readonly entryRanges: readonly number[]; readonly byteWidths: readonly number[] };
  fetchIfRef(value: unknown): unknown;
  fetchUncompressed(...input: unknown[]): unknown;
  fetchCompressed(...input: unknown[]): unknown;
  setStartXRef(position: number): void;
  readXRef(): unknown;
  processXRefTable(parser: CoreParser): unknown;
  readXRefStream(...input: unknown[]): unknown;
  indexObjects(): unknown;
}

export interface CoreParser {
  readonly lexer: CoreLexer;
  readonly xref?: CoreXref | null;
  getObj(...input: unknown[]): unknown;
}

export interface CoreLexer {
  /** The operators of drawing, where that is read. */
  readonly knownCommands: object | null;
  getObj(): unknown;
  nextChar(): number;
}

export interface CoreCharacterMap {
  readonly numCodespaceRanges: number;
  addCodespaceRange(...input: unknown[]): void;
  mapCidRange(from: number, to: number, mapped: unknown): void;
  mapBfRange(from: number, to: number, mapped: unknown): void;
  mapBfRangeToArray(from: number, to: number, mapped: unknown): void;
}

export interface CoreStateManager {
  readonly stateStack: readonly unknown[];
  save(): void;
}

interface TextRequest {
  readonly stream: CoreStream;
  readonly stateManager?: CoreStateManager;
  readonly [name: string]: unknown;
}

export interface FontRequest {
  readonly dict: CoreDictionary;
  readonly descriptor?: CoreDictionary | null;
  readonly composite?: boolean;
  readonly firstChar?: unknown;
  readonly lastChar?: unknown;
}

export interface CoreEvaluator {
  readonly xref: CoreXref;
  getTextContent(request: TextRequest): Promise<void>;
  translateFont(request: FontRequest): Promise<unknown>;
  extractWidths(dictionary: CoreDictionary, ...more: unknown[]): void;
  readCidToGidMap(data: Uint8Array, ...more: unknown[]): unknown;
}

export interface CoreFont {
  readonly font: { readonly cMap: CoreCharacterMap };
  loadType3Data(...input: unknown[]): Promise<void>;
}

interface CorePage {
  readonly resources: CoreDictionary;
  getContentStream(): Promise<CoreStream>;
  createAnnotationEvaluator(handler: null): CoreEvaluator;
}

export interface CoreCatalog {
  readonly xref: CoreXref;
  readonly metadata: unknown;
  readonly fontCache: Iterable<Promise<CoreFont>>;
}

interface CoreDocument {
  readonly startXRef: number;
  readonly catalog: CoreCatalog;
  getPage(index: number): Promise<CorePage>;
}

/** The prototypes of the classes. */
export interface Core {
  /** Of what decodes, whatever the filter. */
  readonly decodingStream: CoreStream;
  readonly flateStream: CoreStream;
  readonly jpegStream: CoreStream;
  readonly brotliStream: CoreStream;
  /** Of what is as it stands in the file. */
  readonly rawStream: CoreStream;
  readonly xref: CoreXref;
  readonly parser: CoreParser;
  readonly lexer: CoreLexer;
  readonly font: CoreFont;
  readonly characterMap: CoreCharacterMap;
  readonly evaluator: CoreEvaluator;
  readonly stateManager: CoreStateManager;
  readonly catalog: CoreCatalog;
  readonly make: CoreMakers;
}

/** Makes objects as a parser does. */
export interface CoreMakers {
  stream(bytes: Uint8Array, dictionary: CoreStream['dict']): CoreStream;
  dictionary(xref: CoreXref): CoreDictionary;
  name(name: string): CoreName;
}

/**
 * Reaches the classes of pdf.js through objects of the probe, which it hands out.
 *
 * @param states the streams that the annotations of the probe have as their states
 * @throws Error when pdf.js is not as this was written for; it must not be used then
 */
export async function reachCore(states: readonly unknown[]): Promise<Core> {
  const [flate, jpeg, brotli] = states as CoreStream[];
  const xref = flate?.dict?.xref;
  if (states.length !== PROBED_FILTERS.length || !flate?.dict || !jpeg || !brotli || !xref) throw changed();
  const { pdfDocument } = xref.pdfManager;

  let parser: CoreParser | undefined;
  shadowed(xref, 'processXRefTable', (original) => (given) => {
    parser = given;
    return original.call(xref, given);
  });
  xref.setStartXRef(pdfDocument.startXRef);
  xref.readXRef();

  const page = await pdfDocument.getPage(0);
  const evaluator = page.createAnnotationEvaluator(null);
  let stateManager: CoreStateManager | undefined;
  // The page draws a form, with the state that the page has then.
  shadowed(evaluator, 'getTextContent', (original) => async (given) => {
    stateManager ??= given.stateManager;
    return original.call(evaluator, given);
  });
  await evaluator.getTextContent({
    stream: await page.getContentStream(),
    resources: page.resources,
    task: { ensureNotTerminated: () => undefined },
    sink: { enqueue: () => undefined, desiredSize: 1, ready: Promise.resolve() },
    viewBox: [0, 0, 9, 9],
  });
  const [loading] = pdfDocument.catalog.fontCache;
  const font = await loading;
  if (!parser || !stateManager || !font) throw changed();

  const flateStream = prototypeOf(flate);
  return {
    decodingStream: prototypeOf(flateStream),
    flateStream,
    jpegStream: prototypeOf(jpeg),
    brotliStream: prototypeOf(brotli),
    rawStream: prototypeOf<object>(xref.stream) as CoreStream,
    xref: prototypeOf(xref),
    parser: prototypeOf(parser),
    lexer: prototypeOf(parser.lexer),
    font: prototypeOf(font),
    characterMap: prototypeOf(font.font.cMap),
    evaluator: prototypeOf(evaluator),
    stateManager: prototypeOf(stateManager),
    catalog: prototypeOf(pdfDocument.catalog),
    make: makersLike(xref.stream, flate.dict),
  };
}

/** @param dictionary has a name as its `Filter` */
function makersLike(stream: object, dictionary: CoreDictionary): CoreMakers {
  const Stream = stream.constructor as new (
    bytes: Uint8Array,
    start: number,
    length: number,
    dictionary: CoreStream['dict'],
  ) => CoreStream;
  const Dictionary = dictionary.constructor as new (xref: CoreXref) => CoreDictionary;
  // Names are made by a method of their class, of which the type of `constructor` knows nothing: it is tried at once.
  const Name = (dictionary.get('Filter') as object).constructor as unknown as { get(name: string): CoreName };
  if (Name.get('probe').name !== 'probe') throw changed();
  return {
    stream: (bytes, given) => new Stream(bytes, 0, bytes.length, given),
    dictionary: (xref) => new Dictionary(xref),
    name: (name) => Name.get(name),
  };
}

/** Puts something before a method of one object. */
function shadowed<Of extends object, Name extends keyof Of>(
  object: Of,
  name: Name,
  replacement: (original: Of[Name]) => Of[Name],
): void {
  object[name] = replacement(object[name]);
}

/** Typed as its objects are. */
function prototypeOf<Of extends object>(object: Of): Of {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype) throw changed();
  return prototype as Of;
}

export const changed = () => new Error('pdf.js is not as its limits expect it');
