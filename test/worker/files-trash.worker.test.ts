import { beforeAll, describe, expect, it } from 'vitest';

import { Sharer } from '../support/shares.ts';

let ada: Sharer;
beforeAll(async () => {
  ada = await Sharer.come('ada@trash.example.com');
});

const TRASH = '/account/files/trash';
const trashOf = async (sharer: Sharer) => (await sharer.browser.open(TRASH)).body;
const usageOf = async (sharer: Sharer) => (await sharer.owner.rows('file_usage'))[0];

describe('the trash, for its person', () => {
  it('shows what was deleted, and puts it back', async () => {
    const { id } = await ada.owner.write('plans/a <b>.txt', 'plans');
    await ada.owner.call('file_delete', { file: id });
    expect(await trashOf(ada)).toContain('plans/a &lt;b&gt;.txt');
    await ada.post(TRASH, `${TRASH}/put-back`, { file: id });
    expect(await trashOf(ada)).toContain('The trash is empty');
    expect(await ada.owner.call('file_read', { file: id })).toMatchObject({ text: 'plans' });
  });

  it('puts nothing over what is there now', async () => {
    const { id } = await ada.owner.write('taken.txt', 'old');
    await ada.owner.call('file_delete', { file: id });
    await ada.owner.write('taken.txt', 'new');
    expect((await ada.post(TRASH, `${TRASH}/put-back`, { file: id })).status).toBe(409);
    expect(await ada.owner.call('file_read', { file: 'taken.txt' })).toMatchObject({ text: 'new' });
    expect(await trashOf(ada)).toContain('taken.txt');
  });

  it('is emptied for good, which makes room, and of nobody else', async () => {
    const bob = await Sharer.come('bob@trash.example.com');
    const eve = await Sharer.come('eve@trash.example.com');
    for (const sharer of [bob, eve]) {
      for (const name of ['one', 'two']) await sharer.owner.write(`${name}.txt`, name);
      await sharer.owner.write('kept.txt', 'kept');
      for (const name of ['one', 'two']) await sharer.owner.call('file_delete', { file: `${name}.txt` });
    }
    expect(await usageOf(bob)).toMatchObject({ bytes: 10, files: 3 });
    expect((await bob.browser.open('/account/files')).body).toContain('10 bytes of 10 GB, 3 of 100,000 files');
    await bob.post(TRASH, `${TRASH}/empty`, {});
    expect(await trashOf(bob)).toContain('The trash is empty');
    expect(await usageOf(bob)).toMatchObject({ bytes: 4, files: 1 });
    await expect.poll(async () => bob.owner.objects()).toHaveLength(1);
    expect(await bob.owner.call('file_read', { file: 'kept.txt' })).toMatchObject({ text: 'kept' });
    expect(await usageOf(eve)).toMatchObject({ bytes: 10, files: 3 });
  });

  it('knows no file of somebody else', async () => {
    const eve = await Sharer.come('eve2@trash.example.com');
    const { id } = await ada.owner.write('secret.txt', 'secret');
    await ada.owner.call('file_delete', { file: id });
    const none = await eve.post(TRASH, `${TRASH}/put-back`, { file: 'fil_00000000000000000000' });
    const other = await eve.post(TRASH, `${TRASH}/put-back`, { file: id });
    expect([other.status, none.status]).toEqual([404, 404]);
    expect(await trashOf(eve)).not.toContain('secret');
    expect(await trashOf(ada)).toContain('secret.txt');
  });
});
