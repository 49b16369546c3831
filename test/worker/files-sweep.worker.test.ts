import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import type { SweptFiles } from '../../src/telemetry/telemetry.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import { UpkeepService } from '../../src/files/upkeep-service.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import { Owner, put } from '../support/files.ts';
import { send } from '../support/person.ts';

const bindings = env as unknown as Bindings;
const { FILES } = bindings;

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

describe('the sweep', () => {
  it('removes the bytes of what was thirty days in the trash, and of nothing else', async () => {
    const eve = await Owner.signIn('eve@example.com');
    const { id } = await eve.write('gone.txt', 'gone');
    const shared = await eve.write('shared.txt', 'the same');
    const other = await eve.write('other.txt', 'the same');
    const link = await eve.link(id);
    for (const file of [id, shared.id]) await eve.call('file_delete', { file });
    expect((await send(link)).status).toBe(404);
    expect(await eve.objects(id)).toHaveLength(1);
    await eve.runTask('trash');
    expect(await eve.objects(id), 'not a day too early').toHaveLength(1);

    await eve.sql(`UPDATE files SET deleted_at = 1 WHERE deleted_at IS NOT NULL`);
    await eve.runTask('trash');
    await expect.poll(() => eve.objects()).toHaveLength(1);
    await expect(eve.call('file_restore', { file: id })).rejects.toThrow('not_found');
    expect(await (await eve.fetch(`/files/${other.id}`)).text()).toBe('the same');
    expect(await eve.rows('loose_objects')).toEqual([]);
    expect(await eve.rows('file_usage')).toMatchObject([{ bytes: 8, files: 1 }]);
  });

  it('follows what a crash left: bytes that were stored and never committed, and uploads that nobody finished', async () => {
    const dan = await Owner.signIn('dan@example.com');
    const { id } = await dan.upload('x.txt', 'abcdef');
    const { id: waiting } = await dan.upload('y.txt', 'abcdef');
    const kept = await dan.write('kept.txt', 'kept');
    const key = `${dan.personId}/att_crashed`;
    const upload = await dan.uploadOf(id);
    await FILES.put(key, 'abcdef');
    await dan.sql(
      `INSERT INTO loose_objects (object_key, upload_id, due_at, claimed) VALUES ('${key}', '${upload}', 9000000000000, 0)`,
    );
    await dan.sql(`UPDATE file_uploads SET expires_at = 1000`);

    await dan.runTask('uploads');
    expect(await dan.objects(id), 'an attempt may still be running').toEqual([key]);
    expect((await dan.rows('file_uploads')).map((row) => row['file_id'])).toEqual([id]);

    await dan.sql('UPDATE loose_objects SET due_at = 1000');
    await dan.runTask('uploads');
    expect(await dan.objects(id)).toEqual([]);
    expect(await dan.rows('loose_objects')).toEqual([]);
    expect(await dan.rows('file_uploads')).toEqual([]);
    expect(await dan.objects(kept.id)).toHaveLength(1);
    expect(await (await dan.fetch(`/files/${kept.id}`)).text()).toBe('kept');
    expect(waiting).not.toBe(id);
  });

  it('says what it removed, and nothing where there was nothing', async () => {
    const mia = await Owner.signIn('mia@example.com');
    await mia.upload('never.txt', 'abcdef');
    await mia.write('trash.txt', 'trash');
    await mia.call('file_delete', { file: 'trash.txt' });
    await mia.sql('UPDATE file_uploads SET expires_at = 1000');
    await mia.sql('UPDATE files SET deleted_at = 1 WHERE deleted_at IS NOT NULL');
    const log = vi.spyOn(console, 'log');
    const reports = () => log.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('files_swept'));
    const sweep = async () => {
      await mia.sql("INSERT OR REPLACE INTO agenda (task, due_at) VALUES ('trash', 0), ('uploads', 0)");
      await runDurableObjectAlarm(mia.workspace);
    };
    try {
      await sweep();
      expect(reports()).toContain('{"type":"files_swept","what":"trash","removed":{"files":1}}');
      // The bytes of what was in the trash are due at once, in this alarm or in one that comes by itself.
      const removed = () => reports().map((line) => (JSON.parse(line) as { removed: SweptFiles }).removed);
      const sum = (what: keyof SweptFiles) => removed().reduce((total, each) => total + (each[what] ?? 0), 0);
      await expect.poll(() => [sum('objects'), sum('uploads'), sum('files')]).toEqual([1, 1, 1]);
      log.mockClear();
      await sweep();
      expect(reports()).toEqual([]);
    } finally {
      log.mockRestore();
    }
  });

  it('wins over an attempt that it has claimed, and is told of the bytes that came after it', async () => {
    const { id, url } = await ada.upload('x.txt', 'abcdef');
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow = put(
      url,
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          await gate;
          controller.enqueue(utf8('abcdef'));
          controller.close();
        },
      }),
    );
    while (!(await ada.hasBegun(id))) await scheduler.wait(5);
    await ada.sql(`DELETE FROM loose_objects WHERE upload_id = '${await ada.uploadOf(id)}'`);
    release();
    expect((await slow).status).toBe(409);
    await expect.poll(() => ada.objects(id)).toEqual([]);
    expect((await ada.rows('files')).some((row) => row['id'] === id)).toBe(false);
    expect((await put(url, 'abcdef')).status).toBe(201);
  });
});

describe('the comparison of index and bucket', () => {
  const upkeep = () =>
    new UpkeepService({ bucket: new R2FileBucket(FILES), workspaces: new RpcWorkspaces(bindings.WORKSPACE) });
  const compare = async ({ personId }: Owner, mend = false, age = 0) =>
    upkeep().compare(personId, { mend, age }, Date.now());

  it('finds nothing where all is well, whatever is on its way', async () => {
    const ann = await Owner.signIn('ann@example.com');
    await ann.write('a.txt', 'one');
    await ann.write('a.txt', 'two');
    await ann.write('b.txt', 'three');
    await ann.call('file_delete', { file: 'b.txt' });
    await ann.upload('coming.txt', 'abcdef');
    const found = { objects: 3, bytes: 11, contents: 3, orphans: 0, orphanedBytes: 0, mended: 0, missing: 0, lost: [] };
    expect(await compare(ann, true)).toEqual(found);
    expect(await upkeep().workspaceIds()).toContain(ann.personId);
    expect(await compare(await Owner.signIn('empty@example.com'))).toMatchObject({ objects: 0, contents: 0 });
  });

  it('finds objects that no index names, and has the next sweep remove those that are old', async () => {
    const ben = await Owner.signIn('ben@example.com');
    const kept = await ben.write('kept.txt', 'kept');
    const orphan = `${ben.personId}/att_orphan`;
    await FILES.put(orphan, 'nobody knows');
    expect(await compare(ben, true, 60_000), 'an hour ago it was not there').toMatchObject({ orphans: 0, mended: 0 });
    expect(await compare(ben)).toMatchObject({ objects: 2, orphans: 1, orphanedBytes: 12, mended: 0 });
    expect(await FILES.head(orphan)).not.toBeNull();
    expect(await compare(ben, true)).toMatchObject({ orphans: 1, mended: 1 });
    await expect.poll(async () => FILES.head(orphan)).toBeNull();
    expect(await compare(ben, true)).toMatchObject({ objects: 1, orphans: 0, missing: 0 });
    expect(await (await ben.fetch(`/files/${kept.id}`)).text()).toBe('kept');
  });

  it('claims nothing that the index names by then', async () => {
    const cleo = await Owner.signIn('cleo@example.com');
    const { id } = await cleo.write('kept.txt', 'kept');
    const [key = ''] = await cleo.objects(id);
    const store = new RpcWorkspaces(bindings.WORKSPACE).upkeep(cleo.personId);
    expect(await store.claim([key], Date.now())).toBe(0);
    expect(await cleo.rows('loose_objects')).toEqual([]);
  });

  it('names the files whose bytes are lost, or are others', async () => {
    const dora = await Owner.signIn('dora@example.com');
    const gone = await dora.write('gone.txt', 'gone');
    const cut = await dora.write('cut.txt', 'whole');
    await dora.write('fine.txt', 'fine');
    const [[goneKey = ''], [cutKey = '']] = [await dora.objects(gone.id), await dora.objects(cut.id)];
    await FILES.delete(goneKey);
    await FILES.put(cutKey, 'cut');
    const { lost, ...counts } = await compare(dora, true);
    expect(counts).toMatchObject({ objects: 2, contents: 3, missing: 2, orphans: 0 });
    expect(lost.toSorted((a, b) => a.objectKey.localeCompare(b.objectKey))).toEqual(
      [
        { objectKey: goneKey, files: [gone.id] },
        { objectKey: cutKey, files: [cut.id] },
      ].toSorted((a, b) => a.objectKey.localeCompare(b.objectKey)),
    );
  });
});
