import type { FileBucket } from '../files/bucket.ts';
import { CarrelError } from '../lib/errors.ts';
import type { KeyedMutex } from '../workspace/mutex.ts';
import type { Schema } from '../workspace/schema.ts';
import type { Database } from '../workspace/sql.ts';
import type { DatasetCalls } from './client.ts';
import { DatasetStore } from './dataset-store.ts';
import type { StoredDataset } from './dataset-store.ts';
import { Importer } from './import/importer.ts';
import type { Step } from './import/importer.ts';
import { KEPT_MILLISECONDS, noSuchTable } from './model.ts';
import type { Dataset, ImportPlan, Outcome, QueryPlan, QueryResult } from './model.ts';
import { nearestNames } from './nearest.ts';
import { checkQuery, runQuery } from './query.ts';
import type { Control } from './query.ts';
import { DATASET_SCHEMA } from './schema.ts';

/** Calls that wait for their turn; a workspace has no more use for them. */
const MOST_WAITING = 20;

/** What the object is made of. */
interface Parts {
  readonly storage: DurableObjectStorage;
  readonly db: Database;
  readonly migrate: (db: Database, schema: Schema, now: number) => void;
  readonly turns: KeyedMutex;
  readonly bucket: FileBucket;
}

/**
 * The tables of one workspace. The object holds nothing else, because what runs here is SQL that others wrote; and it does one
 * piece of work at a time; a query has an engine that is made for it and thrown away.
 *
 * It does not ask who calls: the Worker does so only after the workspace has let the caller in.
 */
export class DatasetsObject implements DatasetCalls {
  readonly #storage: DurableObjectStorage;
  readonly #store: DatasetStore;
  readonly #importer: Importer;
  readonly #turns: KeyedMutex;
  readonly #migrate: () => void;
  readonly #running = new Map<string, Control>();
  #waiting = 0;

  constructor({ storage, db, migrate, turns, bucket }: Parts) {
    this.#storage = storage;
    this.#turns = turns;
    this.#migrate = () => migrate(db, { datasets: DATASET_SCHEMA }, Date.now());
    this.#migrate();
    this.#store = new DatasetStore(db);
    this.#importer = new Importer(this.#store, bucket);
  }

  /** Calls one of {@link DatasetCalls} by its name. @throws TypeError for another */
  async run(method: string, parameters: readonly unknown[]): Promise<Outcome> {
    const own: unknown = METHODS.has(method) ? Reflect.get(this, method) : undefined;
    if (typeof own !== 'function') throw new TypeError(`datasets have no ${method}`);
    try {
      return { ok: true, value: await Reflect.apply(own, this, parameters) };
    } catch (thrown) {
      if (!(thrown instanceof CarrelError)) throw thrown;
      const { code, message, details } = thrown;
      return { ok: false, error: { code, message, details } };
    }
  }

  list(): Dataset[] {
    return this.#store.list().map(shown);
  }

  async remove(name: string): Promise<Dataset> {
    return this.#turn(async () => {
      const found = this.#store.find(name);
      if (!found)
        throw noSuchTable(
          name,
          nearestNames(
            name,
            this.#store.list().map((each) => each.name),
          ),
        );
      this.#store.remove(name);
      return shown(found);
    });
  }

  async checkImport(plan: ImportPlan): Promise<void> {
    await this.#importer.check(plan);
  }

  async checkQuery(plan: QueryPlan): Promise<void> {
    await this.#turn(() => checkQuery(this.#store, plan));
  }

  async beginImport(job: string, plan: ImportPlan): Promise<Step> {
    await this.#scheduleSweep();
    return this.#turn(() => this.#importer.begin(job, plan, Date.now()));
  }

  async stepImport(job: string, number: number): Promise<Step> {
    return this.#turn(() => this.#importer.step(job, number, Date.now()));
  }

  async discardImport(job: string): Promise<void> {
    await this.#turn(async () => this.#importer.discard(job));
  }

  async query(job: string, plan: QueryPlan): Promise<QueryResult> {
    await this.#scheduleSweep();
    const control = { stopped: false, overdue: false };
    this.#running.set(job, control);
    try {
      return await this.#turn(async () => {
        const there = this.#store.result(job);
        if (there) return there;
        const number = this.#store.beginResult(job, Date.now());
        try {
          const add = (part: number, bytes: Uint8Array) => this.#store.addResultPart(number, part, bytes);
          const result = await runQuery(this.#store, plan, control, add);
          this.#store.completeResult(job, result);
          return result;
        } catch (thrown) {
          this.#store.removeResult(job);
          throw thrown;
        } finally {
          this.#store.clearSpilled();
        }
      });
    } finally {
      if (this.#running.get(job) === control) this.#running.delete(job);
    }
  }

  stop(job: string): void {
    const control = this.#running.get(job);
    if (control) control.stopped = true;
  }

  resultPart(job: string, part: number): Uint8Array | undefined {
    return this.#store.resultPart(job, part);
  }

  discardResult(job: string): void {
    this.#store.removeResult(job);
  }

  async wipe(): Promise<void> {
    for (const control of this.#running.values()) control.stopped = true;
    await this.#turns.run('', async () => {
      await this.#storage.deleteAlarm();
      await this.#storage.deleteAll();
      this.#migrate();
    });
  }

  async alarm(): Promise<void> {
    const oldest = await this.#turns.run('', async () => this.#store.sweep(Date.now() - KEPT_MILLISECONDS));
    if (oldest !== undefined) await this.#storage.setAlarm(oldest + KEPT_MILLISECONDS + 60_000);
  }

  async #scheduleSweep(): Promise<void> {
    if ((await this.#storage.getAlarm()) === null)
      await this.#storage.setAlarm(Date.now() + KEPT_MILLISECONDS + 60_000);
  }

  /** @throws CarrelError `limit_exceeded` when too many wait already */
  async #turn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= MOST_WAITING)
      throw new CarrelError('limit_exceeded', 'The tables are busy. Try again in a minute.', {
        details: { retry_after: 60 },
      });
    this.#waiting += 1;
    try {
      return await this.#turns.run('', work);
    } finally {
      this.#waiting -= 1;
    }
  }
}

const METHODS: ReadonlySet<string> = new Set<keyof DatasetCalls>([
  'list',
  'remove',
  'checkImport',
  'checkQuery',
  'beginImport',
  'stepImport',
  'discardImport',
  'query',
  'stop',
  'resultPart',
  'discardResult',
  'wipe',
]);

/** Without what is nobody's business outside. */
function shown({ file: _file, ...dataset }: StoredDataset): Dataset {
  return dataset;
}
