import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { Owner, problemOf, put } from '../support/files.ts';
import type { Shown } from '../support/files.ts';
import { rpc } from '../support/mcp.ts';
import { ORIGIN, send } from '../support/person.ts';

let ada: Owner;
let eve: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@drop.example.com');
  eve = await Owner.signIn('eve@drop.example.com');
});

const ask = async (owner: Owner, input: Record<string, unknown> = {}) =>
  (await owner.call<{ url: string }>('file_request', input)).url;

/** What the script of the page does for each file. */
async function drop(page: string, file: Record<string, unknown>): Promise<Response> {
  return send(page, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(file) });
}

async function dropped(page: string, path: string, content: string): Promise<Response> {
  const answer = await drop(page, { name: path, size: content.length });
  expect(answer.status).toBe(200);
  return put((await answer.json<{ url: string }>()).url, content);
}

const paths = async (owner: Owner, folder: string) =>
  (await owner.call<{ files: Shown[] }>('file_list', { folder })).files.map(({ path }) => path);

describe('a page for dropping files', () => {
  it('says where files go and lets only its own script run', async () => {
    const page = await send(await ask(ada, { folder: 'talks' }));
    expect(page.status).toBe(200);
    expect(page.headers.get('Content-Security-Policy')).toContain("script-src 'self'");
    expect(page.headers.get('Cache-Control')).toBe('no-store');
    const words = await page.text();
    expect(words).toContain('talks/');
    const script = /src="(\/assets\/drop-\w+\.js)"/.exec(words)?.[1] ?? '';
    expect((await send(script)).headers.get('Content-Type')).toContain('text/javascript');
  });

  it('takes files into its folder, and the agent hears of them', async () => {
    const url = await ask(ada, { folder: 'letters' });
    const { since } = await ada.call<{ since: string }>('file_wait', { folder: 'letters', seconds: 1 });
    expect((await dropped(url, 'one.txt', 'first')).status).toBe(201);
    const { files } = await ada.call<{ files: { path: string }[] }>('file_wait', { folder: 'letters', since });
    expect(files.map(({ path }) => path)).toEqual(['letters/one.txt']);
    // A second photo of one name is another photo.
    expect((await dropped(url, 'one.txt', 'second')).status).toBe(201);
    expect((await paths(ada, 'letters')).toSorted()).toEqual(['letters/one (2).txt', 'letters/one.txt']);
  });

  it('leads large files to parts', async () => {
    const answer = await drop(await ask(ada), { name: 'film.mp4', size: 6_000_000_000, type: 'video/mp4' });
    expect(await answer.json()).toMatchObject({ parts: 179, part_size: 33_554_432 });
  });

  it('leads nowhere but into its folder', async () => {
    const url = await ask(ada, { folder: 'inside' });
    for (const path of ['../outside.txt', '/outside.txt', 'a/../../outside.txt', '', '.']) {
      const refused = await drop(url, { name: path, size: 1 });
      expect({ path, ...(await problemOf(refused)) }).toMatchObject({ path, status: 400, code: 'invalid_input' });
    }
    const elsewhere = await drop(url, { name: 'a.txt', size: 1, session: 'inbox' });
    expect(await problemOf(elsewhere)).toMatchObject({ code: 'invalid_input' });
  });

  it('is opened by its own address alone', async () => {
    const url = new URL(await ask(ada));
    const link = new URL(await ada.link((await ada.write('mine.txt', 'mine')).id));
    const other = `/drop/${link.pathname.split('/').at(-1)}`;
    const last = url.pathname.at(-1) === 'A' ? 'B' : 'A';
    for (const address of [other, `${url.pathname.slice(0, -1)}${last}`, '/drop/x'])
      for (const answer of [await send(address), await drop(address, { name: 'a.txt', size: 1 })])
        expect({ address, ...(await problemOf(answer)) }).toMatchObject({ status: 403, code: 'forbidden' });
    // Nor does it open anything else.
    expect((await send(url.pathname.replace('/drop/', '/f/'))).status).toBeGreaterThanOrEqual(403);
  });

  it('cannot be made for the session of somebody else, nor without the scope', async () => {
    const { session } = await eve.call<{ session: { id: string } }>('session_open', { session: 'hers' });
    await expect(ask(ada, { session: session.id })).rejects.toThrow('not_found');
    const reader = await Owner.signIn('reader@drop.example.com', 'files:read');
    await expect(ask(reader)).rejects.toThrow(/scope/);
  });

  it('ends with the app that asked', async () => {
    const app = await Owner.signIn('ends@drop.example.com');
    const url = await ask(app);
    expect((await send(url)).status).toBe(200);
    await app.workspace.revokeGrant(app.grantId);
    const refused = await drop(url, { name: 'late.txt', size: 1 });
    expect(refused.status).toBe(403);
  });
});

describe('a page that the person is asked to open', () => {
  const OPENS = { capabilities: { elicitation: { url: {} } } };
  const request = async (more: Record<string, unknown> = {}, options: object = OPENS, folder = 'asked') =>
    (await rpc(ada.accessToken, 'tools/call', { name: 'file_request', arguments: { folder }, ...more }, options))
      .message;
  /** The question of the first round, with what the client brings back beside the answer. */
  const question = async () => {
    const { result } = await request();
    const { inputRequests, requestState } = result as {
      inputRequests: { page: { method: string; params: { mode: string; url: string; message: string } } };
      requestState: string;
    };
    return { ...inputRequests.page, requestState };
  };

  /** A minute later: the address of a page that is made now would be another. */
  const later = () => {
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 60_000);
  };
  afterEach(() => vi.restoreAllMocks());

  it('is asked for by its address, and the call goes on with the same page', async () => {
    const { method, params, requestState } = await question();
    expect([method, params.mode]).toEqual(['elicitation/create', 'url']);
    expect(params.message).toContain('default/asked/');
    later();
    const { result } = await request({ requestState, inputResponses: { page: { action: 'accept' } } });
    expect(result?.structuredContent).toMatchObject({ folder: 'asked/', url: params.url });
    expect((await dropped(params.url, 'asked.txt', 'asked')).status).toBe(201);
  });

  it('is opened by the SDK’s client, which then has the answer', async () => {
    const opened: unknown[] = [];
    const client = new Client(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { url: {} } } },
    );
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      opened.push('url' in params ? params.url : undefined);
      return { action: 'accept' };
    });
    const headers = { Authorization: `Bearer ${ada.accessToken}` };
    await client.connect(
      new StreamableHTTPClientTransport(new URL('/mcp', ORIGIN), { fetch: send, requestInit: { headers } }),
    );
    const { structuredContent } = await client.callTool({ name: 'file_request', arguments: {} });
    expect(opened).toEqual([(structuredContent as { url: string }).url]);
    await client.close();
  });

  it('is asked for again, and not another, by a client that brings no answer', async () => {
    const { params, requestState } = await question();
    later();
    const { result } = await request({ requestState });
    expect(result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { page: { params: { url: params.url } } },
    });
  });

  it.each(['decline', 'cancel'])('stays closed when the person answers %s', async (action) => {
    const { requestState } = await question();
    const { result } = await request({ requestState, inputResponses: { page: { action } } });
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^forbidden/) as string }] });
  });

  it('of one folder is no answer for another', async () => {
    const { requestState } = await question();
    const answer = { requestState, inputResponses: { page: { action: 'accept' } } };
    expect((await request(answer, OPENS, 'elsewhere')).error?.code).toBe(-32602);
  });

  it.each([
    ['declared nothing', { capabilities: {} }],
    ['declared forms alone', { capabilities: { elicitation: {} } }],
    ['is of the 2025 era', { era: '2025' }],
  ])('is only named to a client that %s', async (_what, options) => {
    const { result } = await request({}, options);
    expect(result?.structuredContent).toMatchObject({ url: expect.stringContaining('/drop/') as string });
  });
});
