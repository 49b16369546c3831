import type { FileBucket } from '../files/bucket.ts';
import { collect } from '../files/intake.ts';
import type { FileService, FileWorkspace } from '../files/service.ts';
import { placeOf } from '../lib/cursor.ts';
import { utf8 } from '../lib/encoding.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import { fenced } from '../lib/untrusted.ts';
import type { SessionRef } from '../sessions/model.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { normalise } from './addresses/normalise.ts';
import { changesBetween } from './changes.ts';
import type { Changes } from './changes.ts';
import { fetchAll } from './fetch/fetch-all.ts';
import type { FetchSettings } from './fetch/model.ts';
import type { Politeness } from './fetch/politeness.ts';
import { addressRefusal } from './fetch/refusals.ts';
import { takeInSource } from './intake.ts';
import type { Incoming } from './intake.ts';
import { FILE_IDENTITY, MAX_BATCH, MAX_SOURCE_BYTES } from './model.ts';
import type { Snapshot, Source, StoredSource } from './model.ts';
import { withinAnswer } from './paging.ts';
import type { SourceChange, SourceFilter } from './source-store.ts';
import { sha256Of, storedText } from './stored-text.ts';
import { windowOf } from './window.ts';
import type { TextWindow } from './window.ts';

export type SourceWorkspace = FileWorkspace & Pick<OpenWorkspace, 'sources' | 'readings'>;

/** On whose behalf something is fetched and stored. */
export interface Visitor {
  readonly workspaceId: string;
  /** @throws CarrelError `forbidden` where files are none of its business */
  readonly mayReadFiles: () => void;
  /** The origin of this deployment. */
  readonly origin: string;
  readonly signal: AbortSignal;
  /** Of a caller that has sources fetched one after the other: hosts are asked no more often than in one call. */
  readonly politeness?: Politeness;
  /** Is told after each source. */
  readonly progress: (done: number, total: number) => Promise<void>;
}

export interface PastedText {
  readonly title: string;
  readonly text: string;
  /** Where it was copied from. */
  readonly url?: string | undefined;
}

export interface NewSources {
  readonly session?: string | undefined;
  readonly urls: readonly string[];
  /** Ids or paths. */
  readonly files: readonly string[];
  readonly texts: readonly PastedText[];
  readonly tags: readonly string[];
}

/** What became of one of several sources. */
export interface SourceResult {
  /** As the caller named it. */
  readonly input: string;
  readonly outcome: 'added' | 'changed' | 'unchanged' | 'refused';
  readonly source?: Source;
  /** What a further snapshot says otherwise than the one before. */
  readonly changes?: Changes;
  readonly error?: CarrelError;
}

/** UTF-16 code units of a window as it is shown: an answer has it twice. */
const SHOWN = 24_000;
/** Takings in of files and texts at once: each holds the bytes of a source twice. */
const AT_ONCE = 3;

export interface SourceServiceOptions {
  readonly bucket: FileBucket;
  readonly files: FileService;
  /** Whether http to this machine is fetched. */
  readonly loopback: boolean;
  /** Whether robots.txt is asked. */
  readonly robots: boolean;
}

/** Sources: pages and documents, kept as they were. */
export class SourceService {
  readonly #bucket: FileBucket;
  readonly #files: FileService;
  readonly #loopback: boolean;
  readonly #robots: boolean;

  constructor({ bucket, files, loopback, robots }: SourceServiceOptions) {
    this.#bucket = bucket;
    this.#files = files;
    this.#loopback = loopback;
    this.#robots = robots;
  }

  /**
   * Adds sources, each by itself: one that is refused leaves nothing, and keeps no other back.
   *
   * @throws CarrelError `invalid_input` for none or more than {@link MAX_BATCH}, `not_found` for the session
   */
  async add(
    workspace: SourceWorkspace,
    visitor: Visitor,
    { session, urls, files, texts, tags }: NewSources,
  ): Promise<{ session: SessionRef; results: readonly SourceResult[] }> {
    const count = urls.length + files.length + texts.length;
    if (count === 0 || count > MAX_BATCH)
      throw new CarrelError('invalid_input', `Give 1 to ${MAX_BATCH} addresses, files and texts together.`, {
        details: { given: count },
      });
    // First, because whoever may no longer call must not have anything fetched.
    const within = await workspace.sources.admit(session, count);
    const taking = this.#taking(workspace, visitor, within.id, count);
    const fetched = await this.#fetch(
      taking,
      urls.map((address) => ({ input: address, address })),
      tags,
    );
    const others = [
      ...files.map((file) => ({
        input: file,
        read: async () => this.#ofFile(workspace, visitor, within.id, file, tags),
      })),
      ...texts.map((text) => ({ input: text.title, read: async () => ofText(text, tags) })),
    ].map((each, index) => ({ ...each, place: urls.length + index }));
    return {
      session: within,
      results: [...fetched, ...(await inTurns(others, async ({ input, place, read }) => taking(input, place, read)))],
    };
  }

  /** Looks at sources again where they came from, and keeps what they say now beside what they said. */
  async refresh(
    workspace: SourceWorkspace,
    visitor: Visitor,
    input: { readonly session?: string | undefined; readonly sources: readonly string[] },
  ): Promise<{ session: SessionRef; results: readonly SourceResult[] }> {
    const session = await workspace.sources.admit(input.session, 0);
    const named = await Promise.all(
      input.sources.map(async (reference) => workspace.sources.get(session.id, reference, undefined)),
    );
    const taking = this.#taking(workspace, visitor, session.id, named.length);
    const isFile = ({ identity }: StoredSource) => identity.startsWith(FILE_IDENTITY);
    const ofAddresses = named.flatMap((source) =>
      isFile(source) || source.url === undefined
        ? []
        : [{ input: source.key, address: source.url, identity: source.identity }],
    );
    const results = new Map(
      (await this.#fetch(taking, ofAddresses, [])).map((result) => [result.input, result] as const),
    );
    for (const { key, identity } of named.filter(isFile))
      results.set(
        key,
        await taking(key, 0, async () => ({
          ...(await this.#ofFile(workspace, visitor, session.id, identity.slice(FILE_IDENTITY.length), [])),
          isFurther: true,
        })),
      );
    return {
      session,
      results: named.map(({ key }) => results.get(key) ?? { input: key, outcome: 'refused', error: wasPasted() }),
    };
  }

  /**
   * A window of what a source says.
   *
   * @param input.marks whether the source counts as read with it
   * @param input.snapshot the number of an earlier snapshot
   * @param input.characters UTF-16 code units at most
   */
  async read(
    { sources }: Pick<SourceWorkspace, 'sources'>,
    input: {
      readonly session?: string | undefined;
      readonly source: string;
      readonly snapshot: number | undefined;
      readonly part: number | undefined;
      readonly offset: number | undefined;
      readonly characters: number;
      readonly marks: boolean;
    },
  ): Promise<{ source: StoredSource; window: TextWindow }> {
    let source = await sources.get(input.session, input.source, input.marks ? Date.now() : undefined);
    if (input.snapshot !== undefined && input.snapshot !== source.snapshot.number) {
      const earlier = (await sources.snapshots(source.id)).find(({ number }) => number === input.snapshot);
      if (!earlier) throw new CarrelError('not_found', 'The source has no snapshot of this number.');
      source = { ...source, snapshot: earlier, textKey: earlier.textKey, rawKey: earlier.rawKey };
    }
    const text = await storedText(this.#bucket, source.textKey);
    return { source, window: shownWindow(text, source.snapshot, input) };
  }

  async list(
    { sources }: Pick<SourceWorkspace, 'sources'>,
    input: SourceFilter & {
      readonly session?: string | undefined;
      readonly limit: number;
      readonly cursor: string | undefined;
    },
  ): Promise<{ session: SessionRef; sources: readonly Source[]; nextCursor: string | undefined }> {
    const page = await sources.list(input.session, input, input.limit, placeOf(input.cursor, 2));
    const { items, nextCursor } = withinAnswer(
      page.sources,
      page.next,
      ({ addedAt, id }) => [addedAt, id],
      withoutParts,
    );
    return { session: page.session, sources: items, nextCursor };
  }

  async update(
    { sources }: Pick<SourceWorkspace, 'sources'>,
    session: string | undefined,
    source: string,
    change: SourceChange,
  ): Promise<StoredSource> {
    if (Object.values(change).every((value) => value === undefined))
      throw new CarrelError('invalid_input', 'Nothing to change. Give a state, a rating, tags or a note.');
    return sources.update(session, source, change);
  }

  async remove({ sources }: Pick<SourceWorkspace, 'sources'>, session: string | undefined, source: string) {
    return sources.remove(session, source, Date.now());
  }

  /** Takes in what addresses give, each as it comes. @param wanted.identity of a source that is there */
  async #fetch(
    taking: Taking,
    wanted: readonly { readonly input: string; readonly address: string; readonly identity?: string }[],
    tags: readonly string[],
  ): Promise<SourceResult[]> {
    const outcomes = await fetchAll(
      wanted.map(({ address }) => address),
      taking.fetch,
      async ({ url, type, bytes, fetchedAt }, index) => {
        const { input, address, identity } = wanted[index] ?? { input: '', address: url };
        return taking(input, index, async () => ({
          bytes: bytes as Uint8Array<ArrayBuffer>,
          type,
          origin: 'fetched',
          url,
          identity: identity ?? keyOf(address),
          host: URL.parse(keyOf(url))?.hostname ?? '',
          title: undefined,
          tags,
          takenAt: fetchedAt,
          isFurther: identity !== undefined,
        }));
      },
    );
    return outcomes.map((outcome, index) =>
      outcome.error ? { input: wanted[index]?.input ?? '', outcome: 'refused', error: outcome.error } : outcome.result,
    );
  }

  async #ofFile(
    workspace: SourceWorkspace,
    { mayReadFiles }: Visitor,
    session: string,
    named: string,
    tags: readonly string[],
  ): Promise<Incoming> {
    mayReadFiles();
    const file = await this.#files.find(workspace, { file: named, session });
    if (file.size > MAX_SOURCE_BYTES)
      throw new CarrelError('too_large', 'Files of more than 10 MB are not taken as sources. Nothing was stored.', {
        details: { size: file.size, limit: MAX_SOURCE_BYTES },
      });
    return {
      bytes: file.size === 0 ? new Uint8Array() : await collect(await this.#files.bytes(file)),
      type: file.type,
      origin: 'uploaded',
      url: undefined,
      identity: FILE_IDENTITY + file.id,
      host: '',
      title: undefined,
      tags,
      takenAt: Date.now(),
      isFurther: false,
    };
  }

  /** Takes one in, and says how far all are. What it is refused for is part of its result. */
  #taking(workspace: SourceWorkspace, visitor: Visitor, session: string, count: number): Taking {
    let done = 0;
    const started = Date.now();
    const take = async (input: string, place: number, read: () => Promise<Incoming>): Promise<SourceResult> => {
      try {
        const { outcome, source, previousTextKey } = await takeInSource(
          workspace,
          this.#bucket,
          visitor.workspaceId,
          session,
          await read(),
          started + place,
        );
        if (previousTextKey === undefined) return { input, outcome, source };
        const [before, now] = await Promise.all(
          [previousTextKey, source.textKey].map(async (key) => storedText(this.#bucket, key)),
        );
        return { input, outcome, source, changes: changesBetween(before ?? '', now ?? '') };
      } catch (thrown) {
        return { input, outcome: 'refused', error: asCarrelError(thrown) };
      } finally {
        await visitor.progress(++done, count);
      }
    };
    const { origin, signal, politeness } = visitor;
    const fetch = { origin, signal, loopback: this.#loopback, robots: this.#robots, ...(politeness && { politeness }) };
    return Object.assign(take, { fetch });
  }
}

/** @param place of the source among those of the call, whichever comes first */
type Taking = ((input: string, place: number, read: () => Promise<Incoming>) => Promise<SourceResult>) & {
  readonly fetch: FetchSettings;
};

async function inTurns<Item, Result>(items: readonly Item[], run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE)
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(run))));
  return results;
}

/** A window that has no more than {@link SHOWN} where what is hidden in it is written out. */
function shownWindow(text: string, snapshot: Snapshot, input: Parameters<typeof windowOf>[2]): TextWindow {
  for (let { characters } = input; ;) {
    const window = windowOf(text, snapshot, { ...input, characters });
    const shown = fenced(window.text).length;
    if (shown <= SHOWN) return window;
    characters = Math.floor((characters * SHOWN) / shown);
  }
}

/** What makes two addresses the same source. */
function keyOf(address: string): string {
  const place = normalise(address);
  return place.fault === undefined ? place.key : address;
}

/** Of the parts a list says how many there are. */
const withoutParts = ({ snapshot: { parts: _parts, ...snapshot }, ...source }: Source) => ({ ...source, snapshot });

async function ofText({ title, text, url }: PastedText, tags: readonly string[]): Promise<Incoming> {
  const address = url === undefined ? undefined : normalise(url);
  if (address?.fault !== undefined) throw addressRefusal(address.fault);
  const bytes = utf8(text);
  return {
    bytes,
    type: 'text/markdown; charset=utf-8',
    origin: 'pasted',
    url: address?.fetch,
    identity: address?.key ?? `text:${await sha256Of(bytes)}`,
    host: address ? (URL.parse(address.key)?.hostname ?? '') : '',
    title,
    tags,
    takenAt: Date.now(),
    isFurther: false,
  };
}

const wasPasted = () =>
  new CarrelError('unsupported', 'This source was pasted, and has no address to look at again. Add it anew.');
