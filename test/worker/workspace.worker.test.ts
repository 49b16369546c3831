import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { Agenda } from '../../src/workspace/agenda.ts';
import { SCHEMA } from '../../src/workspace/features.ts';
import { KeyedMutex } from '../../src/workspace/mutex.ts';
import { migrate, schemaVersions } from '../../src/workspace/schema.ts';
import type { SchemaStep } from '../../src/workspace/schema.ts';
import { Database } from '../../src/workspace/sql.ts';
import { rpc, statusOf, tool } from '../support/mcp.ts';
import { connected, send } from '../support/person.ts';
import { times } from '../support/rounds.ts';

const { WORKSPACE } = env as unknown as Bindings;

let databases = 0;

/** Runs in an object of its own, on its database. */
async function withDatabase<Result>(work: (db: Database, storage: DurableObjectStorage) => Result | Promise<Result>) {
  return runInDurableObject(WORKSPACE.getByName(`database-${++databases}`), async (_object, { storage }) =>
    work(new Database(storage), storage),
  );
}

describe('the schema of a workspace', () => {
  const create: SchemaStep = { name: 'create', minReader: 1, sql: 'CREATE TABLE notes (id INTEGER, text TEXT) STRICT' };
  const expand: SchemaStep = { name: 'expand', minReader: 1, sql: 'ALTER TABLE notes ADD COLUMN colour TEXT' };
  const contract: SchemaStep = { name: 'contract', minReader: 3, sql: 'ALTER TABLE notes DROP COLUMN text' };

  it('is brought forward step by step, each once, with a ledger', async () => {
    const { ledger, versions } = await withDatabase((db) => {
      migrate(db, { notes: [create] }, 1000);
      db.run(`INSERT INTO notes (id, text) VALUES (1, 'kept')`);
      for (const now of [2000, 3000]) migrate(db, { notes: [create, expand] }, now);
      expect(db.all('SELECT * FROM notes')).toEqual([{ id: 1, text: 'kept', colour: null }]);
      return { ledger: db.all(`SELECT * FROM schema_ledger WHERE feature = 'notes'`), versions: schemaVersions(db) };
    });
    expect(ledger).toEqual([
      { feature: 'notes', version: 1, name: 'create', min_reader: 1, applied_at: 1000 },
      { feature: 'notes', version: 2, name: 'expand', min_reader: 1, applied_at: 2000 },
    ]);
    expect(versions['notes']).toBe(2);
  });

  it('keeps nothing of a step that fails, and everything of those before', async () => {
    const broken = {
      name: 'broken',
      minReader: 1,
      sql: 'CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1)',
    };
    await withDatabase((db) => {
      expect(() => migrate(db, { notes: [create, broken, expand] }, 1000)).toThrow(/nowhere/);
      expect(db.first(`SELECT name FROM sqlite_master WHERE name = 'half'`)).toBeUndefined();
      expect(schemaVersions(db)['notes']).toBe(1);
      migrate(db, { notes: [create, { ...broken, sql: 'CREATE TABLE whole (id INTEGER)' }] }, 2000);
      expect(schemaVersions(db)['notes']).toBe(2);
    });
  });

  it('lets the release before run on after an expansion', async () => {
    await withDatabase((db) => {
      migrate(db, { notes: [create, expand] }, 1000);
      migrate(db, { notes: [create] }, 2000);
      db.run(`INSERT INTO notes (id, text) VALUES (2, 'written by the old one')`);
      migrate(
        db,
        { notes: [create, expand, { name: 'more', minReader: 1, sql: 'CREATE TABLE more (id INTEGER)' }] },
        3000,
      );
      expect(schemaVersions(db)['notes']).toBe(3);
      expect(db.first('SELECT text, colour FROM notes')).toEqual({ text: 'written by the old one', colour: null });
    });
  });

  it('refuses a release that a contraction has left behind, whatever came after', async () => {
    const later = { name: 'later', minReader: 1, sql: 'CREATE TABLE later (id INTEGER)' };
    await withDatabase((db) => {
      migrate(db, { notes: [create, expand, contract, later] }, 1000);
      for (const old of [[create], [create, expand]])
        expect(() => migrate(db, { notes: old }, 2000)).toThrow(expect.objectContaining({ code: 'unavailable' }));
      expect(() => migrate(db, { notes: [create, expand, contract] }, 2000)).not.toThrow();
    });
  });

  it('of one feature says nothing of another', async () => {
    await withDatabase((db) => {
      migrate(
        db,
        { notes: [create, expand, contract], tags: [{ ...create, sql: 'CREATE TABLE tags (id INTEGER)' }] },
        1000,
      );
      expect(() => migrate(db, { tags: [{ ...create, sql: 'never run again' }] }, 2000)).not.toThrow();
      expect(schemaVersions(db)).toMatchObject({ notes: 3, tags: 1 });
    });
  });

  it('never asks a step for more readers than there are steps', () => {
    for (const [feature, steps] of Object.entries(SCHEMA))
      for (const [index, { minReader, name }] of steps.entries()) {
        const before = Math.max(1, ...steps.slice(0, index).map((step) => step.minReader ?? 1));
        const asked = minReader ?? before;
        expect([feature, name, asked >= before && asked <= index + 1]).toEqual([feature, name, true]);
      }
  });
});

describe('a workspace whose schema is too new', () => {
  it('is unavailable, says so, and comes back whole with the newer release', async () => {
    const { accessToken, personId } = await connected();
    await tool(accessToken, 'state_set', { key: 'k', value: 'kept' });
    const workspace = WORKSPACE.getByName(personId);
    const setReader = async (minReader: number) =>
      runInDurableObject(workspace, (_object, { storage }) => {
        storage.sql.exec(`UPDATE schema_ledger SET min_reader = ? WHERE feature = 'sessions'`, minReader);
      });
    await setReader(99);
    await evictDurableObject(workspace);
    const refused = await rpc(accessToken, 'tools/list');
    expect([refused.status, refused.message]).toEqual([503, expect.objectContaining({ code: 'unavailable' })]);
    const called = await rpc(accessToken, 'tools/call', { name: 'state_get', arguments: { key: 'k' } });
    expect(JSON.stringify(called.message)).toContain('unavailable');
    expect(JSON.stringify(called.message)).not.toContain('internal');
  });

  it('makes the deployment not ready', async () => {
    const probe = WORKSPACE.getByName('readiness-probe');
    expect((await send('/readyz')).status).toBe(200);
    await runInDurableObject(probe, (_object, { storage }) => {
      storage.sql.exec(`UPDATE schema_ledger SET min_reader = 99 WHERE feature = 'oauth'`);
    });
    await evictDurableObject(probe);
    const response = await send('/readyz');
    expect([response.status, await response.json()]).toMatchObject([503, { checks: { workspace: { ok: false } } }]);
  });
});

describe('a workspace', () => {
  it('keeps what was answered when its object starts anew', async () => {
    const { accessToken, personId } = await connected();
    await tool(accessToken, 'state_set', { key: 'k', value: 'kept' });
    await evictDurableObject(WORKSPACE.getByName(personId));
    expect((await tool(accessToken, 'state_get', { key: 'k' })).content).toMatchObject({ value: 'kept' });
  });

  it('opens for nobody whom the deployment does not know', async () => {
    const { personId, grantId, accessToken } = await connected();
    await runInDurableObject(WORKSPACE.getByName(personId), (_object, { storage }) => {
      storage.sql.exec('DELETE FROM standing');
    });
    // It is the only one that writes there, and remembers.
    await evictDurableObject(WORKSPACE.getByName(personId));
    expect([grantId.length > 0, await statusOf(accessToken)]).toEqual([true, 401]);
  });
});

describe('the mutex', () => {
  it('runs work of one name one after another, in the order of the calls', async () => {
    const [mutex, log] = [new KeyedMutex(), [] as string[]];
    const work = (name: string) => async () => {
      log.push(`${name} begins`);
      await scheduler.wait(Math.random() * 5);
      log.push(`${name} ends`);
      return name;
    };
    const names = times(20, String);
    expect(await Promise.all(names.map(async (name) => mutex.run('grant', work(name))))).toEqual(names);
    expect(log).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it('does not hold up work of another name', async () => {
    const mutex = new KeyedMutex();
    const held = Promise.withResolvers<string>();
    const first = mutex.run('a', async () => held.promise);
    expect(await mutex.run('b', async () => 'b')).toBe('b');
    held.resolve('a');
    expect(await first).toBe('a');
  });

  it('goes on after a failure, which only its own caller hears of', async () => {
    const mutex = new KeyedMutex();
    const failing = mutex.run('a', () => Promise.reject(new Error('broken')));
    const next = mutex.run('a', async () => 'fine');
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('fine');
  });

  it('lets work that comes in while work runs wait its turn', async () => {
    const [mutex, log] = [new KeyedMutex(), [] as string[]];
    const nested: Promise<unknown>[] = [];
    await mutex.run('a', async () => {
      nested.push(mutex.run('a', async () => log.push('second')));
      await scheduler.wait(2);
      log.push('first');
    });
    await Promise.all(nested);
    expect(log).toEqual(['first', 'second']);
  });
});

describe('the agenda', () => {
  const START = Date.now() + 3_600_000;
  const fail = () => {
    throw new Error('nothing may fail here');
  };
  const entries = (db: Database) => db.all('SELECT task, due_at FROM agenda ORDER BY due_at');

  it('keeps the earlier of two entries of a task, and sets the alarm to what is due first', async () => {
    await withDatabase(async (db, storage) => {
      const agenda = new Agenda(db, storage);
      await agenda.schedule('sweep', START + 5000);
      await agenda.schedule('sweep', START + 9000);
      await agenda.schedule('other', START + 7000);
      expect([entries(db)[0], await storage.getAlarm()]).toEqual([
        { task: 'sweep', due_at: START + 5000 },
        START + 5000,
      ]);
      await agenda.schedule('other', START + 1000);
      expect([entries(db)[0], await storage.getAlarm()]).toEqual([
        { task: 'other', due_at: START + 1000 },
        START + 1000,
      ]);
    });
  });

  it('runs what is due in its order, and leaves the rest', async () => {
    await withDatabase(async (db, storage) => {
      const [agenda, ran] = [new Agenda(db, storage), [] as string[]];
      const task = (name: string) => async () => void ran.push(name);
      for (const [name, due] of [
        ['c', 3],
        ['a', 1],
        ['later', 100],
        ['b', 2],
      ] as const)
        await agenda.schedule(name, START + due);
      await agenda.run({ a: task('a'), b: task('b'), c: task('c'), later: task('later') }, START + 50, fail);
      expect(ran).toEqual(['a', 'b', 'c']);
      expect(entries(db)).toEqual([{ task: 'later', due_at: START + 100 }]);
    });
  });

  it('tries a failed task again after a minute, and the others all the same', async () => {
    await withDatabase(async (db, storage) => {
      const [agenda, failed, ran] = [new Agenda(db, storage), [] as unknown[], [] as string[]];
      await agenda.schedule('broken', START);
      await agenda.schedule('fine', START + 1);
      const tasks = { broken: () => Promise.reject(new Error('broken')), fine: async () => void ran.push('fine') };
      await agenda.run(tasks, START + 10, (task, error) => failed.push([task, String(error)]));
      expect([ran, failed]).toEqual([['fine'], [['broken', 'Error: broken']]]);
      expect(entries(db)).toEqual([{ task: 'broken', due_at: START + 60_010 }]);
    });
  });

  it('comes back when a task says so, and at what the task itself scheduled if that is earlier', async () => {
    await withDatabase(async (db, storage) => {
      const agenda = new Agenda(db, storage);
      for (const task of ['daily', 'impatient']) await agenda.schedule(task, START);
      const tasks = {
        daily: async (now: number) => now + 86_400_000,
        impatient: async (now: number) => {
          await agenda.schedule('impatient', now + 1000);
          return now + 5000;
        },
      };
      await agenda.run(tasks, START, fail);
      expect(entries(db)).toEqual([
        { task: 'impatient', due_at: START + 1000 },
        { task: 'daily', due_at: START + 86_400_000 },
      ]);
    });
  });

  it('keeps a task while it runs, so that a crash in the middle does not lose it', async () => {
    await withDatabase(async (db, storage) => {
      const agenda = new Agenda(db, storage);
      await agenda.schedule('long', START);
      let during: unknown;
      await agenda.run({ long: async () => void (during = entries(db)) }, START, fail);
      expect(during).toEqual([{ task: 'long', due_at: START + 60_000 }]);
      expect(entries(db)).toEqual([]);
    });
  });

  it('lets a task that this release does not know wait for one that does', async () => {
    await withDatabase(async (db, storage) => {
      const agenda = new Agenda(db, storage);
      await agenda.schedule('of another release', START);
      await agenda.run({}, START, fail);
      expect(entries(db)).toEqual([{ task: 'of another release', due_at: START + 86_400_000 }]);
    });
  });

  it('of a workspace is kept by its alarm', async () => {
    const { personId } = await connected();
    const workspace = WORKSPACE.getByName(personId);
    const due = async () => runInDurableObject(workspace, async (_object, { storage }) => storage.getAlarm());
    expect(await due()).toBeGreaterThan(Date.now());
    expect(await runDurableObjectAlarm(workspace)).toBe(true);
    expect(await due()).toBeGreaterThan(Date.now());
  });
});
