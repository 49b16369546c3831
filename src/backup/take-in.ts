import type { FileBucket } from '../files/bucket.ts';
import type { UploadService } from '../files/upload-service.ts';
import type { WorkContext } from '../jobs/definition.ts';
import { byteLength } from '../lib/encoding.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import type { RecipeTools } from '../recipes/tool-port.ts';
import { checkPlan } from '../recipes/validate.ts';
import { rulesAsNote, takeIn } from '../research/archive/import.ts';
import { citationsOf } from '../research/report-service.ts';
import { partAt } from '../research/window.ts';
import { DEFAULT_SESSION_ID } from '../sessions/model.ts';
import { countsOf, LARGE_BYTES, NOTHING, sum } from './model.ts';
import type { ArchivedList, ArchiveRecord, Counts, RecordOf } from './model.ts';
import { contentsOf } from './prove.ts';
import { ArchiveReader, broken, readRecord } from './read-archive.ts';
import type { StoredArchive } from './read-archive.ts';

/** What one step takes in at most. */
const STEP_BYTES = 48_000_000;
const STEP_CALLS = 300;
/** Rows that a step tells of: a workspace may refuse everything. */
const STEP_ROWS = 150;

/** Something that did not come in, or not as it was called. */
export type Row = {
  readonly kind: ArchiveRecord['kind'];
  /** Slug of the session in the archive. */
  readonly session: string;
  readonly name: string;
  readonly outcome: 'renamed' | 'refused';
  readonly as: string;
  readonly reason: string;
};

/** Where what belongs together has gone, by what it is called in the archive. */
type Place = readonly [name: string, id: string];

/** What one step of taking in came to. */
export type TakenIn = {
  readonly next: number;
  readonly isLast: boolean;
  /** Whether the record at `next` is a file that comes in parts. */
  readonly large: boolean;
  readonly counts: Counts;
  readonly rows: readonly Row[];
  readonly places: readonly Place[];
  /** Sessions whose research was begun, and has to be ended: with their ids. */
  readonly begun: readonly { readonly id: string; readonly archived: boolean }[];
  readonly hasLinks: boolean;
};

export interface TakingServices {
  readonly bucket: FileBucket;
  readonly uploads: UploadService;
  readonly recipeTools: RecipeTools;
}

export interface TakingOptions {
  /** Of the slugs of sessions. */
  readonly prefix: string | undefined;
  /** Whether recipes come in: what is in one, an agent runs. */
  readonly recipes: boolean;
}

/** Takes records in that were proved. */
export class Taking {
  readonly #services: TakingServices;
  readonly #context: WorkContext;
  readonly #reader: ArchiveReader;
  readonly #places: Map<string, string>;
  readonly #options: TakingOptions;
  readonly #rows: Row[] = [];
  readonly #fresh: Place[] = [];
  readonly #begun: { id: string; archived: boolean }[] = [];
  #counts: Counts = NOTHING;
  #hasLinks = false;
  #bytes = STEP_BYTES;
  #calls = STEP_CALLS;

  constructor(
    services: TakingServices,
    context: WorkContext,
    archive: StoredArchive,
    { places, ...options }: TakingOptions & { readonly places: ReadonlyMap<string, string> },
  ) {
    this.#services = services;
    this.#context = context;
    this.#reader = new ArchiveReader(services.bucket, archive);
    this.#places = new Map(places);
    this.#options = options;
  }

  async records(list: ArchivedList, from: number): Promise<TakenIn> {
    const lines = await this.#reader.lines(list);
    let next = from;
    let large = false;
    for (; next < lines.length && this.#bytes > 0 && this.#calls > 0 && this.#rows.length < STEP_ROWS; next++) {
      const each = readRecord(lines[next] ?? '');
      if (!each) continue;
      large = each.kind === 'file' && each.size > LARGE_BYTES;
      if (large) break;
      await this.#record(each, next);
    }
    return {
      next,
      isLast: next >= lines.length,
      large,
      counts: this.#counts,
      rows: this.#rows,
      places: this.#fresh,
      begun: this.#begun,
      hasLinks: this.#hasLinks,
    };
  }

  /** Links what was taken in: behind all of it, because notes link to each other. @returns where to go on */
  async links(list: ArchivedList, from: number): Promise<{ next: number; isLast: boolean }> {
    const lines = await this.#reader.lines(list);
    let next = from;
    for (; next < lines.length && this.#calls > 0; next++) {
      const each = readRecord(lines[next] ?? '');
      if (each?.kind !== 'notes') continue;
      const links = each.notes.flatMap(({ id, links: to }) => {
        // A link to what did not come leads nowhere, and is left out.
        const targets = to.flatMap(
          (link) =>
            this.#places.get(`key ${each.session} ${link}`) ?? this.#places.get(`id ${each.session} ${link}`) ?? [],
        );
        const note = this.#places.get(`id ${each.session} ${id}`);
        return note === undefined || targets.length === 0 ? [] : [{ note, targets }];
      });
      this.#calls -= 1;
      if (links.length > 0) await this.#context.workspace.notes.linkAll(this.#research(each.session), links);
    }
    return { next, isLast: next >= lines.length };
  }

  async #record(each: ArchiveRecord, index: number): Promise<void> {
    this.#calls -= 1;
    switch (each.kind) {
      case 'session':
        return this.#session(each);
      case 'state':
        return this.#state(each);
      case 'file':
        return this.#file(each, index);
      case 'research':
        return this.#begin(each);
      case 'sources':
        return this.#sources(each);
      case 'quotes':
        return this.#quotes(each);
      case 'notes':
        return this.#notes(each);
      case 'section':
        return this.#section(each);
      case 'recipe':
        return this.#recipe(each);
      case 'schedule':
        return this.#refuse(each, each.session, each.name, 'nothing runs by itself because it came in an archive');
    }
  }

  #came(each: ArchiveRecord): void {
    this.#counts = sum(this.#counts, countsOf(each));
  }

  #tell(row: Row): void {
    this.#rows.push(row);
  }

  #note(name: string, id: string): void {
    this.#places.set(name, id);
    this.#fresh.push([name, id]);
  }

  /** The default session is that of this workspace; any other is a session of its own, whatever is there. */
  async #session(each: RecordOf<'session'>): Promise<void> {
    const { slug, title, description, archived, is_default } = each;
    this.#came(each);
    const { prefix } = this.#options;
    if (is_default && prefix === undefined) return this.#note(`session ${slug}`, DEFAULT_SESSION_ID);
    const wanted = prefix === undefined ? slug : `${prefix}-${slug}`;
    const { backups } = this.#context.workspace;
    const made = await backups.addSession({ slug: wanted, title, description, archived }, Date.now());
    this.#note(`session ${slug}`, made.id);
    if (made.slug !== slug)
      this.#tell({
        kind: 'session',
        session: slug,
        name: slug,
        outcome: 'renamed',
        as: made.slug,
        reason: made.slug === wanted ? 'the prefix' : 'the slug is taken',
      });
  }

  async #state(each: RecordOf<'state'>): Promise<void> {
    const { session, key, value } = each;
    const entry = { key, value, bytes: byteLength(value) };
    this.#bytes -= entry.bytes;
    const [taken] = await this.#context.workspace.backups.addState(this.#within(session), [entry], Date.now());
    if (taken === undefined) return this.#came(each);
    this.#refuse(each, session, key, 'the key is there, and stays as it is');
  }

  async #file(each: RecordOf<'file'>, index: number): Promise<void> {
    const { session, path, type, size, sha256, tags, at } = each;
    const { principal, workspace } = this.#context;
    // Two records may have one path, and each is a file of its own.
    const owner = principal.once === undefined ? principal : { ...principal, once: `${principal.once}/${index}` };
    this.#bytes -= size;
    try {
      const file = await this.#services.uploads.create(
        workspace,
        owner,
        { path, type, sha256, tags, session: this.#within(session), ifExists: 'keep_both' },
        { body: await this.#reader.stream(at, size), length: size },
      );
      this.#came(each);
      if (file.path !== path)
        this.#tell({
          kind: 'file',
          session,
          name: path,
          outcome: 'renamed',
          as: file.path,
          reason: 'the path is taken',
        });
    } catch (thrown) {
      this.#refuse(each, session, path, refusalOf(thrown));
    }
  }

  async #begin(each: RecordOf<'research'>): Promise<void> {
    const { session, archived, topic, question, guidelines, outline } = each;
    const { desks, backups, notes, reports } = this.#context.workspace;
    let id = this.#within(session);
    try {
      await desks.beginImport(id, Date.now());
    } catch (thrown) {
      if (asCarrelError(thrown).code !== 'conflict') throw thrown;
      // There is one in the default session: this one is in a session of its own.
      const description = 'A research that was imported';
      const made = await backups.addSession({ slug: session, title: topic, description, archived: false }, Date.now());
      await desks.beginImport(made.id, Date.now());
      ({ id } = made);
      const reason = 'there is a research in this session';
      this.#tell({ kind: 'research', session, name: session, outcome: 'renamed', as: made.slug, reason });
    }
    this.#begun.push({ id, archived });
    this.#note(`research ${session}`, id);
    await notes.takeIn(id, [rulesAsNote({ topic, question, guidelines })], Date.now());
    if (outline.length > 0) await reports.outline(id, { title: undefined, sections: outline }, Date.now(), true);
    this.#came(each);
  }

  async #sources(each: RecordOf<'sources'>): Promise<void> {
    const { session, sources, at } = each;
    const { workspace, principal } = this.#context;
    const contents = contentsOf(this.#reader, at);
    for (const source of sources)
      for (const snapshot of source.snapshots) {
        this.#bytes -= snapshot.raw.size + snapshot.text.size;
        this.#calls -= 3;
        const incoming = { archive: contents, source, snapshot, now: Date.now() };
        const added = await takeIn(
          workspace,
          this.#services.bucket,
          principal.workspaceId,
          this.#research(session),
          incoming,
        );
        this.#note(`key ${session} ${source.key}`, added.id);
        this.#note(`snapshot ${session} ${source.key} ${snapshot.number}`, added.snapshot.id);
      }
    this.#came(each);
  }

  async #quotes(each: RecordOf<'quotes'>): Promise<void> {
    const { session, quotes } = each;
    const { workspace } = this.#context;
    const found: Parameters<typeof workspace.quotes.addAll>[1][number][] = [];
    for (const { source, snapshot, start, end, text, why, in: place } of quotes) {
      const sourceId = this.#places.get(`key ${session} ${source}`);
      const snapshotId = this.#places.get(`snapshot ${session} ${source} ${snapshot}`);
      if (sourceId === undefined || snapshotId === undefined) throw broken();
      this.#calls -= 1;
      const parts = (await workspace.sources.snapshot(snapshotId))?.parts ?? [];
      const stands = { textSha256: place.sha256, start, end, text, ...partAt(parts, start) };
      found.push({ sourceId, snapshotId, ...stands, why, isImported: true });
    }
    const ids = await workspace.quotes.addAll(this.#research(session), found, Date.now());
    for (const [index, id] of ids.entries()) this.#note(`id ${session} ${quotes[index]?.id ?? ''}`, id);
    this.#came(each);
  }

  async #notes(each: RecordOf<'notes'>): Promise<void> {
    const { session, notes } = each;
    const all = notes.map(({ title, text, tags }) => ({ title, text, tags }));
    const ids = await this.#context.workspace.notes.takeIn(this.#research(session), all, Date.now());
    for (const [index, id] of ids.entries()) this.#note(`id ${session} ${notes[index]?.id ?? ''}`, id);
    this.#hasLinks ||= notes.some(({ links }) => links.length > 0);
    this.#came(each);
  }

  async #section(each: RecordOf<'section'>): Promise<void> {
    const { session, number, text } = each;
    const { sources, reports } = this.#context.workspace;
    const within = this.#research(session);
    const keys = new Set(await sources.keys(within));
    await reports.write(within, String(number), text, citationsOf(text, keys), undefined, Date.now(), true);
    this.#came(each);
  }

  /** One that could be saved here by whoever imports it, and that nobody has yet. */
  async #recipe(each: RecordOf<'recipe'>): Promise<void> {
    const { slug, title, description, plan: text } = each;
    if (!this.#options.recipes) return this.#refuse(each, '', slug, 'recipes come in where `recipes` asks for them');
    try {
      const { plan, scopes, steps } = checkPlan(parseJson(text), this.#services.recipeTools.info);
      const lacking = scopes.filter((scope) => !this.#context.principal.scopes.includes(scope));
      if (lacking.length > 0) return this.#refuse(each, '', slug, `it needs permissions: ${lacking.join(', ')}`);
      const content = { slug, title, description, inputs: JSON.stringify(plan.inputs), steps, scopes, plan: text };
      await this.#context.workspace.recipes.save(content, 0, Date.now());
      this.#came(each);
    } catch (thrown) {
      this.#refuse(each, '', slug, refusalOf(thrown));
    }
  }

  #refuse({ kind }: ArchiveRecord, session: string, name: string, reason: string): void {
    this.#tell({ kind, session, name, outcome: 'refused', as: '', reason });
  }

  #within(session: string): string {
    const id = this.#places.get(`session ${session}`);
    if (id === undefined) throw broken();
    return id;
  }

  #research(session: string): string {
    const id = this.#places.get(`research ${session}`);
    if (id === undefined) throw broken();
    return id;
  }
}

/** Why one thing did not come in. What is the matter with all of them ends the step. */
function refusalOf(thrown: unknown): string {
  const { code, message } = asCarrelError(thrown);
  const itsOwn = ['too_large', 'conflict', 'invalid_input', 'limit_exceeded', 'unsupported'];
  if (thrown instanceof CarrelError && itsOwn.includes(code)) return message;
  throw thrown;
}
