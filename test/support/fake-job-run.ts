import type { FileBucket } from '../../src/files/bucket.ts';
import type { JobDefinition, JobRun, Json, StepContext, StepOptions } from '../../src/jobs/definition.ts';
import { byteLength } from '../../src/lib/encoding.ts';
import { REPEATABLE } from '../../src/jobs/once.ts';
import { CarrelError } from '../../src/lib/errors.ts';
import { newId } from '../../src/lib/ids.ts';
import type { OpenWorkspace } from '../../src/workspace/client.ts';

/** The process went down. Nothing of ours may take it for an error of its own. */
class Crash extends Error {}

/** What reads, and is asked anew when a step is repeated. Everything else is written once. */
const READS =
  /^(?:get|list|listStored|find|status|text|unread|versions|usage|within|folder|paths|trash|keys|snapshot|snapshots|section|read|extract|admit|refuseWithoutRoom|check|page\w*|count\w*)$/;
const MAX_OUTCOME = 256 * 1024;

/**
 * Where a job can go down: behind each write to the workspace, each write to the bucket and each step. With crashes on,
 * it does so at each of them once.
 */
class Points {
  crashes = false;
  down = false;
  readonly passed = new Set<string>();
  #place = '';
  #counts = new Map<string, number>();

  /** An attempt at a step begins. */
  enter(place: string): void {
    this.#place = place;
    this.#counts = new Map();
  }

  pass(what: string): void {
    this.refuseWhenDown();
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    const point = `${this.#place} ${what} ${count}`;
    const isNew = !this.passed.has(point);
    this.passed.add(point);
    if (!isNew || !this.crashes) return;
    this.down = true;
    this.refuseWhenDown();
  }

  refuseWhenDown(): void {
    if (this.down) throw new Crash('down');
  }
}

export interface FakeJobOptions {
  readonly workspace: OpenWorkspace;
  readonly personId: string;
  readonly scopes?: readonly string[];
  readonly session?: string;
  /** What the world does while the job sleeps. */
  readonly onSleep?: () => Promise<void>;
}

/** A job that runs here, as the engine would run it. */
export class FakeJob {
  readonly id = `job_${newId('ses').slice(4)}`;
  readonly steps: string[] = [];
  readonly progress: [number, number | undefined][] = [];
  runs = 0;
  readonly #options: FakeJobOptions;
  readonly #points = new Points();
  readonly #outcomes = new Map<string, Json>();
  readonly #written = new Map<string, unknown>();

  constructor(options: FakeJobOptions) {
    this.#options = options;
  }

  /** How often it went down. */
  get crashes(): number {
    return this.runs - 1;
  }

  /** The bucket, for the services of the definition. */
  bucket(bucket: FileBucket): FileBucket {
    const points = this.#points;
    return new Proxy(bucket, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return (...parameters: unknown[]): unknown => {
          points.refuseWhenDown();
          const result: unknown = Reflect.apply(method, target, parameters);
          if (!/^(?:put|putPart|completeParts|beginParts|delete)$/.test(String(name))) return result;
          return (result as Promise<unknown>).then((value) => {
            points.pass(`bucket.${String(name)}`);
            return value;
          });
        };
      },
    });
  }

  /** Starts it as `job_start` does: refuses what the definition refuses. */
  async start<Output>(definition: JobDefinition, input: unknown, crashes = false): Promise<Output> {
    const parsed = definition.input.parse(input) as never;
    const scopes = definition.scopes(parsed);
    const missing = scopes.filter((scope) => !this.#scopes.includes(scope));
    if (missing.length > 0) throw new CarrelError('forbidden', `This needs ${missing.join(' ')}.`);
    await definition.check?.(parsed, this.#context('check'));
    this.#points.crashes = crashes;
    for (;;) {
      this.runs += 1;
      this.#points.down = false;
      try {
        const result = await definition.run(this.#run(parsed) as JobRun<never>);
        this.#points.refuseWhenDown();
        return definition.output.parse(JSON.parse(JSON.stringify(result))) as Output;
      } catch (thrown) {
        if (!this.#points.down) throw thrown;
      }
    }
  }

  get #scopes(): readonly string[] {
    return (
      this.#options.scopes ??
      ['files:read', 'files:write', 'research:read', 'research:write'].concat([
        'sessions:read',
        'sessions:write',
        'jobs:read',
        'jobs:write',
      ])
    );
  }

  #run(input: unknown): JobRun<unknown> {
    const { onSleep, session = 'ses_default' } = this.#options;
    const names = new Set<string>();
    const once = (name: string) => {
      if (names.has(name)) throw new Error(`two steps are called ${name}`);
      if (name.length > 200) throw new Error(`too long a name: ${name}`);
      names.add(name);
    };
    return {
      id: this.id,
      input,
      session,
      step: async (name, work, options) => {
        once(name);
        return this.#step(name, work, options) as never;
      },
      progress: (done, total) => void this.progress.push([done, total]),
      sleepUntil: async (name) => {
        once(name);
        await onSleep?.();
      },
      now: async (name) => {
        once(name);
        return (await this.#step(name, async () => Date.now())) as number;
      },
      ask: () => Promise.reject(new Error('nobody is there')),
      approve: () => Promise.reject(new Error('nobody is there')),
    };
  }

  async #step(name: string, work: (step: StepContext) => Promise<Json>, options: StepOptions = {}): Promise<Json> {
    this.#points.refuseWhenDown();
    const there = this.#outcomes.get(name);
    if (there !== undefined) return there;
    for (let tries = 0; ; tries++) {
      try {
        const result = await work(this.#context(name));
        this.#points.refuseWhenDown();
        const json = JSON.stringify(result);
        if (byteLength(json) > MAX_OUTCOME) throw new Error(`the outcome of ${name} is too large`);
        const outcome = JSON.parse(json) as Json;
        this.#outcomes.set(name, outcome);
        this.steps.push(name);
        this.#points.pass('done');
        return outcome;
      } catch (thrown) {
        this.#points.refuseWhenDown();
        const passes =
          !(thrown instanceof CarrelError) || thrown.code === 'unavailable' || thrown.code === 'limit_exceeded';
        if (!passes || tries >= (options.retries ?? 4)) throw thrown;
      }
    }
  }

  #context(step: string): StepContext {
    const { personId } = this.#options;
    this.#points.enter(step);
    const workspace = this.#workspace(step);
    return {
      workspace,
      principal: {
        personId,
        workspaceId: personId,
        grantId: 'gra_fake',
        clientId: 'fake',
        scopes: this.#scopes,
        label: 'Fake',
        once: `${this.id}/${step}`,
      },
      origin: 'http://localhost:8787',
      // Nobody has made rules.
      gated: async (_call, work) => work(workspace),
    };
  }

  /** Remembers what the n-th call of a method within a step returned. */
  #workspace(step: string): OpenWorkspace {
    const counts = new Map<string, number>();
    const points = this.#points;
    const call = async (store: string, method: string, parameters: unknown[]): Promise<unknown> => {
      points.refuseWhenDown();
      const stores = this.#options.workspace as unknown as Record<
        string,
        Record<string, (...parameters: unknown[]) => Promise<unknown>>
      >;
      const ask = async () => stores[store]?.[method]?.(...parameters);
      if (READS.test(method) || REPEATABLE.has(store)) {
        const value = await ask();
        points.refuseWhenDown();
        if (!READS.test(method)) points.pass(`${store}.${method}`);
        return value;
      }
      const name = `${store}.${method}`;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const key = `${step} ${name} ${count}`;
      if (!this.#written.has(key)) this.#written.set(key, await ask());
      points.pass(name);
      return this.#written.get(key);
    };
    return new Proxy({} as OpenWorkspace, {
      get: (_target, store) =>
        typeof store === 'symbol' || store === 'then'
          ? undefined
          : new Proxy(
              {},
              {
                get: (_methods, method) =>
                  typeof method === 'symbol' || method === 'then'
                    ? undefined
                    : (...parameters: unknown[]) => call(store, method, parameters),
              },
            ),
    });
  }
}
