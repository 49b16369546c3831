import type { Bindings } from '../../src/app.ts';
import { count, countD1 } from './costs.ts';

/**
 * What the tests put between the code under test and its storage: a delay, because a race that storage
 * in memory hides is open for milliseconds in a deployment, and a count. The Worker and the tests run in
 * one isolate and share this module.
 */
let longest = 0;
let calls: number | undefined;
const reached = { directory: 0, workspaces: 0 };

/** From now on each access to storage takes 0 to `milliseconds`, at random; with 0 it takes no longer than it takes. */
export function delayStorage(milliseconds: number): void {
  longest = milliseconds;
}

/** Workspaces that are made from now on allow so many calls a minute; undefined for what the settings say. */
export function allowCalls(perMinute: number | undefined): void {
  calls = perMinute;
}

export const callsAllowed = (): number | undefined => calls;

/** How often D1 and the workspaces were reached since {@link resetReached}. */
export function storageReached(): { directory: number; workspaces: number } {
  return { ...reached };
}

export function resetReached(): void {
  Object.assign(reached, { directory: 0, workspaces: 0 });
}

export async function pause(): Promise<void> {
  if (longest > 0) await scheduler.wait(Math.random() * longest);
}

/** The directory, with the delay before each statement or batch that it runs. */
export function slowed(database: D1Database): D1Database {
  const originals = new WeakMap<object, D1PreparedStatement>();
  const before = async () => {
    reached.directory += 1;
    await pause();
  };
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const run = async (query: () => Promise<D1Result>) => {
      await before();
      const answer = await query();
      countD1(answer);
      return answer;
    };
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      // D1's own `first` does the same, and says nothing of the rows.
      first: async () => (await run(async () => statement.all())).results[0] ?? null,
      run: async () => run(async () => statement.run()),
      all: async () => run(async () => statement.all()),
    };
    originals.set(wrapped, statement);
    return wrapped as unknown as D1PreparedStatement;
  };
  return {
    prepare: (query: string) => wrap(database.prepare(query)),
    batch: async (statements: D1PreparedStatement[]) => {
      await before();
      const answers = await database.batch(statements.map((statement) => originals.get(statement) ?? statement));
      for (const answer of answers) countD1(answer);
      return answers;
    },
  } as unknown as D1Database;
}

/** The workspaces, with a count of how often one of them was reached. */
export function counted(namespace: Bindings['WORKSPACE']): Bindings['WORKSPACE'] {
  return {
    getByName: (name: string) => {
      reached.workspaces += 1;
      return countedCalls(namespace.getByName(name));
    },
  } as unknown as Bindings['WORKSPACE'];
}

let lost: string | undefined;

/** The next call of this method of a store, such as `runs.finishStep`, is made and its answer lost. */
export function loseAnswerOf(method: string): void {
  lost = method;
}

/** Whether the answer that is to be lost is still to come. */
export const isLosing = (): boolean => lost !== undefined;

/** Whether the answer of a call is lost: of that one alone. */
function isLost(name: string | symbol, [, store, method]: unknown[]): boolean {
  if (lost === undefined || name !== 'run' || `${String(store)}.${String(method)}` !== lost) return false;
  lost = undefined;
  return true;
}

/** A stub that counts its calls: one workspace that is reached may be called several times. */
function countedCalls<Stub extends object>(stub: Stub): Stub {
  return new Proxy(stub, {
    get: (_target, name) => {
      const method: unknown = Reflect.get(stub, name);
      if (typeof method !== 'function') return method;
      return (...parameters: unknown[]): unknown => {
        count('roundTrips');
        const answer: unknown = Reflect.apply(method, stub, parameters);
        if (!isLost(name, parameters)) return answer;
        return Promise.resolve(answer).then(() => {
          throw new Error('Network connection lost.');
        });
      };
    },
  });
}
