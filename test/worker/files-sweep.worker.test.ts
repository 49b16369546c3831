import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { Owner, put } from '../support/files.ts';
import { send } from '../support/person.ts';

const { FILES } = env as unknown as Bindings;

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
    const sweep = async (task: string) => {
      await eve.sql(`UPDATE agenda SET due_at = 0 WHERE task = '${task}'`);
      await runDurableObjectAlarm(eve.workspace);
    };
    await sweep('trash');
    expect(await eve.objects(id), 'not a day too early').toHaveLength(1);

    await eve.sql(`UPDATE files SET deleted_at = 1 WHERE deleted_at IS NOT NULL`);
    await sweep('trash');
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
    const makeDue = "UPDATE agenda SET due_at = 0 WHERE task = 'uploads'";

    await dan.sql(makeDue);
    await runDurableObjectAlarm(dan.workspace);
    expect(await dan.objects(id), 'an attempt may still be running').toEqual([key]);
    expect((await dan.rows('file_uploads')).map((row) => row['file_id'])).toEqual([id]);

    await dan.sql('UPDATE loose_objects SET due_at = 1000');
    await dan.sql(makeDue);
    await runDurableObjectAlarm(dan.workspace);
    expect(await dan.objects(id)).toEqual([]);
    expect(await dan.rows('loose_objects')).toEqual([]);
    expect(await dan.rows('file_uploads')).toEqual([]);
    expect(await dan.objects(kept.id)).toHaveLength(1);
    expect(await (await dan.fetch(`/files/${kept.id}`)).text()).toBe('kept');
    expect(waiting).not.toBe(id);
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
