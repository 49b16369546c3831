import { beforeAll, describe, expect, it } from 'vitest';

import { put } from '../support/files.ts';
import { send } from '../support/person.ts';
import { Sharer } from '../support/shares.ts';
import { unzipTexts } from '../support/unzip.ts';

let reader: Sharer;
let eve: Sharer;
beforeAll(async () => {
  reader = await Sharer.come('reader@browse.example.com');
  eve = await Sharer.come('eve@browse.example.com');
});

describe('the page of one’s files', () => {
  beforeAll(async () => {
    await reader.owner.call('session_open', { session: 'Market study' });
    for (const path of ['reports/2026/q3.txt', 'reports/2026/q4.txt', 'reports/index.md', 'notes.txt'])
      await reader.owner.write(path, `text of ${path}`, 'market-study');
  });

  const open = async (path: string) => {
    const { body, status } = await reader.browser.open(path);
    return { status, body };
  };

  it('leads from sessions through folders to files, each with its links', async () => {
    const sessions = await open('/account/files');
    expect(sessions.body).toContain('href="/account/files?session=market-study"');
    const top = await open('/account/files?session=market-study');
    for (const shown of ['reports/', 'notes.txt', '/account/shares/new?session=market-study&amp;folder=reports%2F'])
      expect(top.body).toContain(shown);
    expect(top.body).not.toContain('q3.txt');
    const deeper = await open('/account/files?session=market-study&folder=reports/2026');
    expect(deeper.body).toContain('q3.txt');
    const file = /\/account\/files\/(fil_\w+)/.exec(deeper.body)?.[0] ?? '';
    const bytes = await send(file, { headers: { Cookie: reader.browser.cookieHeader(), Range: 'bytes=0-3' } });
    expect([bytes.status, await bytes.text()]).toEqual([206, 'text']);
    expect(bytes.headers.get('Content-Disposition')).toContain('attachment');
    const zip = await send('/account/files/zip?session=market-study&folder=reports/2026/', {
      headers: { Cookie: reader.browser.cookieHeader() },
    });
    expect(Object.keys(await unzipTexts(await zip.arrayBuffer()))).toEqual(['2026/q3.txt', '2026/q4.txt']);
  });

  it('finds files by words', async () => {
    expect((await open('/account/files?q=q3')).body).toContain('reports/2026/q3.txt');
    for (const query of ['nowhereatall', '"', '%2A%2A']) {
      const { status, body } = await open(`/account/files?q=${query}`);
      expect([status, body.includes('Nothing was found')]).toEqual([200, true]);
    }
  });

  it('goes on where a folder has more than a page', async () => {
    for (let index = 100; index < 153; index += 1) await reader.owner.write(`many/${index}.txt`, 'x', 'market-study');
    const first = await open('/account/files?session=market-study&folder=many/');
    const more = /href="([^"]*cursor=[^"]*)"/.exec(first.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const second = await open(more);
    const names = (body: string) =>
      [...body.matchAll(/<bdi class="untrusted">(\d+\.txt)<\/bdi><\/div>/g)].map(([, name]) => name);
    expect([names(first.body).length, names(second.body)]).toEqual([50, ['150.txt', '151.txt', '152.txt']]);
  });

  it('shows nothing of somebody else', async () => {
    const { id } = await eve.owner.write('private.txt', 'private');
    const { session } = await eve.owner.call<{ session: { id: string } }>('session_open', { session: 'Private study' });
    for (const path of [
      `/account/files/${id}`,
      `/account/files?session=${session.id}`,
      `/account/files/zip?session=${session.id}`,
    ]) {
      const page = await open(path);
      expect([page.status, page.body.includes('private.txt')]).toEqual([404, false]);
    }
    expect((await open('/account/files?q=private')).body).not.toContain('private.txt');
  });

  it('lets nothing that was stored become a page', async () => {
    const { url, id } = await reader.owner.upload('page.html', '<script>alert(1)</script>');
    await put(url, '<script>alert(1)</script>');
    const { headers } = await send(`/account/files/${id}`, { headers: { Cookie: reader.browser.cookieHeader() } });
    expect(headers.get('Content-Type')).toBe('application/octet-stream');
    expect(headers.get('Content-Security-Policy')).toBe("sandbox; default-src 'none'");
    await reader.owner.write('<img src=x onerror=alert(1)>.txt', 'x');
    const { body } = await open('/account/files?session=default');
    expect(body).toContain('&lt;img src=x');
    expect(body).not.toContain('<img src=x');
  });
});
