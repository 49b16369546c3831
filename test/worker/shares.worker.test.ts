import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { shareAddress } from '../../src/files/share/address.ts';
import { auditDuring } from '../support/audit.ts';
import { resetReached, storageReached } from '../support/delays.ts';
import { problemOf } from '../support/files.ts';
import { Person, send } from '../support/person.ts';
import { refusal, Sharer, shareOf, take, visit } from '../support/shares.ts';
import { unzipTexts } from '../support/unzip.ts';

const { CARREL_SECRET, WORKSPACE } = env as unknown as Bindings & { CARREL_SECRET: string };
const DAY_MS = 86_400_000;

let ada: Sharer;
let eve: Sharer;
/** The refusal of a share that never was. */
let nothing: unknown;

beforeAll(async () => {
  ada = await Sharer.come('ada@shares.example.com');
  eve = await Sharer.come('eve@shares.example.com');
  const claims = { workspaceId: ada.owner.personId, shareId: 'shr_00000000000000000000' };
  nothing = await refusal(await send(`/s/${await shareAddress(new Keyring([CARREL_SECRET]), claims)}`));
});
afterEach(() => vi.useRealTimers());

const passTime = (milliseconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });

const statuses = async (times: number, act: () => Promise<Response>) => {
  const answers = await Promise.all(Array.from({ length: times }, act));
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return answers.map(({ status }) => status).toSorted((one, other) => one - other);
};

/** What both ways of asking say. */
const refusals = async (link: string) => [await refusal(await send(link)), await refusal(await take(link))];

describe('a share of a file', () => {
  it('is a page that names it, and a button that gives it to somebody without an account', async () => {
    const { id } = await ada.owner.write('отчёт 2026.csv', 'a,b\n1,2\n');
    const link = await ada.share({ file: id });
    const page = await visit(link);
    expect(page.status).toBe(200);
    const words = await page.text();
    for (const fact of ['отчёт 2026.csv', '8 bytes', 'text/csv', 'method="post"']) expect(words).toContain(fact);
    expect(words).not.toContain(ada.email);
    const given = await take(link);
    expect(await given.text()).toBe('a,b\n1,2\n');
    expect(given.headers.get('Content-Disposition')).toContain("filename*=UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82");
    expect(given.headers.get('Content-Security-Policy')).toBe("sandbox; default-src 'none'");
    expect(given.headers.get('X-Content-Type-Options')).toBe('nosniff');
    // As a script does it, which has no form to send.
    expect(await (await send(link, { method: 'POST' })).text()).toBe('a,b\n1,2\n');
  });

  it('gives its newest version, wherever it has moved', async () => {
    const { id } = await ada.owner.write('draft.txt', 'first');
    const link = await ada.share({ file: id });
    await ada.owner.write('draft.txt', 'second');
    await ada.owner.call('file_move', { file: id, to: 'done/final.txt' });
    expect(await (await take(link)).text()).toBe('second');
    expect(await (await visit(link)).text()).toContain('final.txt');
  });

  it('may be downloaded as often as was said, also by many at once, and looked at as often as anybody likes', async () => {
    const { id } = await ada.owner.write('three.txt', 'three');
    const link = await ada.share({ file: id, uses: '3' });
    expect(await statuses(5, async () => visit(link))).toEqual(Array(5).fill(200));
    expect(await statuses(5, async () => send(link, { method: 'HEAD' }))).toEqual(Array(5).fill(200));
    expect(await statuses(20, async () => take(link))).toEqual([...Array(3).fill(200), ...Array(17).fill(403)]);
    expect(await problemOf(await send(link))).toMatchObject({ status: 403, code: 'forbidden' });
    const { body } = await ada.browser.open('/account/shares');
    expect(body).toContain('3 of 3 downloads');
  });

  it('works until it expires', async () => {
    const { id } = await ada.owner.write('week.txt', 'week');
    const link = await ada.share({ file: id, days: '7' });
    passTime(7 * DAY_MS - 10_000);
    expect((await take(link)).status).toBe(200);
    vi.setSystemTime(Date.now() + 11_000);
    expect(await refusals(link)).toEqual([nothing, nothing]);
    expect(await ada.links()).not.toContain(link);
  });

  it('ends with the request after its person said so', async () => {
    const { id } = await ada.owner.write('ended.txt', 'ended');
    const link = await ada.share({ file: id });
    const other = await ada.share({ file: id });
    expect((await ada.end(link)).url.pathname).toBe('/account/shares');
    expect(await refusals(link)).toEqual([nothing, nothing]);
    expect((await take(other)).status).toBe(200);
    expect((await ada.end(link)).status).toBe(404);
  });

  it('dies when the file is deleted, and stays dead when that comes back', async () => {
    const { id } = await ada.owner.write('deleted.txt', 'deleted');
    const link = await ada.share({ file: id });
    await ada.owner.call('file_delete', { file: id });
    expect(await refusals(link)).toEqual([nothing, nothing]);
    await ada.owner.call('file_restore', { file: id });
    expect(await refusals(link)).toEqual([nothing, nothing]);
    expect(await ada.links()).not.toContain(link);
  });

  it('is closed while its person may not enter', async () => {
    const somebody = await Sharer.come('disabled@shares.example.com');
    const { id } = await somebody.owner.write('mine.txt', 'mine');
    const link = await somebody.share({ file: id });
    const workspace = WORKSPACE.getByName(somebody.owner.personId);
    await workspace.writeStanding({ role: 'member', disabled: true });
    expect(await refusals(link)).toEqual([nothing, nothing]);
    await workspace.writeStanding({ role: 'member', disabled: false });
    expect((await take(link)).status).toBe(200);
    await workspace.wipe(somebody.owner.personId);
    expect(await refusals(link)).toEqual([nothing, nothing]);
  });

  it('lives on when the app that wrote the file is disconnected', async () => {
    const somebody = await Sharer.come('without-app@shares.example.com');
    const { id } = await somebody.owner.write('kept.txt', 'kept');
    const link = await somebody.share({ file: id });
    await somebody.owner.workspace.revokeGrant(somebody.owner.grantId);
    expect((await take(link)).status).toBe(200);
  });
});

describe('a share with a password', () => {
  const PASSWORD = 'correct horse 1é';
  let link: string;
  beforeAll(async () => {
    const { id } = await ada.owner.write('salaries.txt', 'the salaries');
    link = await ada.share({ file: id, password: PASSWORD });
  });

  it('says nothing of what it gives before the password was right', async () => {
    const page = await (await visit(link)).text();
    expect(page).toContain('type="password"');
    for (const told of ['salaries', '12 bytes', 'text/plain']) expect(page).not.toContain(told);
    const wrong = await take(link, 'wrong horse 1');
    expect(wrong.status).toBe(403);
    expect(wrong.headers.get('Content-Disposition')).toBeNull();
    const again = await wrong.text();
    expect(again).toContain('This is not the password.');
    expect(again).not.toContain('salaries');
    for (const empty of [await take(link), await take(link, '')]) expect(empty.status).toBe(403);
    expect(await (await take(link, PASSWORD)).text()).toBe('the salaries');
    // As another keyboard composes it.
    expect((await take(link, PASSWORD.normalize('NFD'))).status).toBe(200);
  });

  it('is not used up by wrong ones', async () => {
    const { id } = await ada.owner.write('once.txt', 'once');
    const once = await ada.share({ file: id, password: PASSWORD, uses: '1' });
    expect((await take(once, 'something else')).status).toBe(403);
    expect((await take(once, PASSWORD)).status).toBe(200);
    expect((await take(once, PASSWORD)).status).toBe(403);
  });

  it('takes ten wrong ones in a quarter of an hour, also of many at once, and then not even the right one', async () => {
    const { id } = await ada.owner.write('guessed.txt', 'guessed');
    const guessed = await ada.share({ file: id, password: PASSWORD });
    expect(await statuses(12, async () => take(guessed, PASSWORD))).toEqual(Array(12).fill(200));
    const answers = await statuses(20, async () => take(guessed, 'a wrong guess'));
    expect(answers).toEqual([...Array(10).fill(403), ...Array(10).fill(429)]);
    const refused = await take(guessed, PASSWORD);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('Retry-After'))).toBeLessThanOrEqual(900);
    // Of another share nobody has guessed.
    expect((await take(link, PASSWORD)).status).toBe(200);
    passTime(15 * 60_000 + 1000);
    expect((await take(guessed, PASSWORD)).status).toBe(200);
  });

  it('keeps neither the password nor anything that opens it', async () => {
    const rows = JSON.stringify(await ada.owner.rows('file_shares'));
    expect(rows).toContain('pbkdf2-sha256$100000$');
    for (const secret of [PASSWORD, PASSWORD.normalize('NFD'), link.split('.').at(-1) ?? ''])
      expect(rows).not.toContain(secret);
  });
});

describe('a share of a folder', () => {
  it('is a zip of what is in it when it is fetched', async () => {
    await ada.owner.write('talks/one.txt', 'one');
    const link = await ada.share({ session: 'default', folder: 'talks/' });
    await ada.owner.write('talks/two.txt', 'two');
    const page = await (await visit(link)).text();
    for (const fact of ['talks.zip', 'A zip of 2 files']) expect(page).toContain(fact);
    const given = await take(link);
    expect(given.headers.get('Content-Type')).toBe('application/zip');
    expect(await unzipTexts(await given.arrayBuffer())).toEqual({ 'talks/one.txt': 'one', 'talks/two.txt': 'two' });
  });

  it('that is empty, or was renamed, is none', async () => {
    const { id } = await ada.owner.write('empties/one.txt', 'one');
    const link = await ada.share({ session: 'default', folder: 'empties' });
    await ada.owner.call('file_delete', { file: id });
    expect(await refusals(link)).toEqual([nothing, nothing]);
    expect((await ada.form({ session: 'default', folder: 'empties' })).status).toBe(404);
    expect((await ada.form({ session: 'nowhere', folder: '' })).status).toBe(404);
  });

  it('can be all of a session', async () => {
    await ada.owner.call('session_open', { session: 'Thesis' });
    await ada.owner.write('chapter.md', '# One', 'thesis');
    const link = await ada.share({ session: 'thesis', folder: '' });
    expect(await unzipTexts(await (await take(link)).arrayBuffer())).toEqual({ 'thesis/chapter.md': '# One' });
    expect((await ada.browser.open('/account/shares')).body).toContain('All files of Thesis');
  });
});

describe('what is somebody else’s', () => {
  it('is neither shared nor ended', async () => {
    const { id } = await ada.owner.write('hers.txt', 'hers');
    const link = await ada.share({ file: id });
    expect((await eve.form({ file: id })).status).toBe(404);
    expect((await eve.browser.open(`/account/shares/new?file=${id}`)).status).toBe(404);
    const theirs = await eve.end(link);
    const none = await eve.end('http://localhost:8787/s/x.shr_00000000000000000000.y');
    expect([theirs.status, none.status]).toEqual([404, 404]);
    expect((await take(link)).status).toBe(200);
    expect(await eve.links()).toEqual([]);
  });

  it('is not found under an address of one’s own', async () => {
    const { id } = await ada.owner.write('hers-2.txt', 'hers');
    const link = await ada.share({ file: id });
    const own = await eve.share({ file: (await eve.owner.write('own.txt', 'own')).id });
    const [ownPerson = '', , mac = ''] = new URL(own).pathname.split('/').at(-1)?.split('.') ?? [];
    for (const forged of [`${ownPerson}.${shareOf(link)}.${mac}`, `${ada.owner.personId}.${shareOf(link)}.${mac}`])
      expect(await refusals(new URL(`/s/${forged}`, own).href)).toEqual([nothing, nothing]);
    // One that is signed for a person who has no such share.
    const claims = { workspaceId: eve.owner.personId, shareId: shareOf(link) };
    const signed = await shareAddress(new Keyring([CARREL_SECRET]), claims);
    expect(await refusals(`http://localhost:8787/s/${signed}`)).toEqual([nothing, nothing]);
  });

  it('is asked for without a single read of storage where the address is no true one', async () => {
    const link = await ada.share({ file: (await ada.owner.write('changed.txt', 'changed')).id });
    const address = new URL(link).pathname.slice('/s/'.length);
    resetReached();
    for (const at of [5, 30, 50, address.length - 1]) {
      const changed = address.slice(0, at) + (address[at] === '0' ? '1' : '0') + address.slice(at + 1);
      expect(await refusals(`http://localhost:8787/s/${changed}`)).toEqual([nothing, nothing]);
    }
    expect(storageReached()).toEqual({ directory: 0, workspaces: 0 });
  });
});

describe('the form of a share', () => {
  let file: string;
  beforeAll(async () => {
    file = (await ada.owner.write('form.txt', 'form')).id;
  });

  it('names what is shared, and says what does not fit', async () => {
    expect((await ada.browser.open(`/account/shares/new?file=${file}`)).body).toContain('form.txt');
    for (const [fields, problem] of [
      [{ uses: '0' }, 'Give a number from 1 to 1000'],
      [{ uses: '1.5' }, 'Give a number from 1 to 1000'],
      [{ uses: 'many' }, 'Give a number from 1 to 1000'],
      [{ uses: '1001' }, 'Give a number from 1 to 1000'],
      [{ password: 'short' }, 'from 8 to 200 characters'],
      [{ password: 'x'.repeat(201) }, 'from 8 to 200 characters'],
    ] as const) {
      const page = await ada.form({ file, ...fields });
      expect([fields, page.status, page.body.includes(problem)]).toEqual([fields, 400, true]);
    }
    for (const days of ['0', '31', '365', '', 'x']) expect((await ada.form({ file, days })).status).toBe(400);
    for (const subject of [{}, { file: '' }, { session: '' }, { session: 'default', folder: '../x' }] as const)
      expect((await ada.form({ ...subject })).status).toBe(400);
  });

  it('counts for the person who opened it, in their browser', async () => {
    const before = await ada.links();
    for (const path of ['/account/shares', '/account/shares/new?file=x', '/account/files', `/account/files/${file}`]) {
      const page = await new Person().browser.open(path);
      expect([page.url.pathname, page.url.searchParams.get('return_to')]).toEqual(['/sign-in', path]);
    }
    const cookie = { Cookie: ada.browser.cookieHeader(), 'Content-Type': 'application/x-www-form-urlencoded' };
    const forged = { method: 'POST', body: `file=${file}&days=7&uses=&password=`, headers: cookie };
    expect((await send('/account/shares', forged)).status).toBe(403);
    const token = await ada.owner.fetch('/account/shares', {
      ...forged,
      headers: { 'Content-Type': cookie['Content-Type'] },
    });
    expect(token.status).toBe(403);
    expect(await ada.links()).toEqual(before);
  });

  it('makes a hundred shares and no more', async () => {
    const many = await Sharer.come('many@shares.example.com');
    const { id } = await many.owner.write('one.txt', 'one');
    await many.share({ file: id });
    await many.owner.sql(`
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 98)
      INSERT INTO file_shares (id, file_id, created_at, expires_at)
        SELECT 'shr_' || n, file_id, created_at, expires_at FROM file_shares, numbers`);
    const answers = await Promise.all(Array.from({ length: 5 }, async () => many.form({ file: id })));
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      200, 429, 429, 429, 429,
    ]);
  });
});

it('what was shared and ended is in the audit, without what it was', async () => {
  const { id } = await ada.owner.write('secret plans.txt', 'plans');
  let link = '';
  const lines = await auditDuring(async () => {
    link = await ada.share({ file: id, days: '1', uses: '2', password: 'correct horse' });
    await ada.end(link);
  });
  const of = lines.map(({ action, personId, detail }) => ({ action, personId, detail }));
  const share = shareOf(link);
  expect(of).toEqual([
    { action: 'share_made', personId: ada.owner.personId, detail: { share, of: id, days: 1, uses: 2, password: true } },
    { action: 'share_ended', personId: ada.owner.personId, detail: { share } },
  ]);
  for (const secret of ['plans', 'horse', link.split('.').at(-1) ?? ''])
    expect(JSON.stringify(lines)).not.toContain(secret);
});
