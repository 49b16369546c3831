import { beforeAll, describe, expect, it } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { put } from '../../scripts/client/transfer.ts';
import { useDeployment } from './support/deployment.ts';
import { callOverTheWire, rpc } from './support/json-rpc.ts';
import { bearer, signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

const deployment = useDeployment();

let ada: Person;
let eve: Person;

/** All that Ada has; none of it may reach Eve. */
const SECRETS = { title: 'Merger with Babbage', slug: 'merger-with-babbage', key: 'offer', value: 'forty guineas' };
let owned: {
  session: string;
  file: string;
  upload: string;
  download: string;
  fileCursor: string;
  sessionCursor: string;
};

/** What names nothing at all, of the same form as what Ada has. */
const NOTHING = { session: 'ses_0123456789abcdefghjk', slug: 'merger-with-nothing', file: 'fil_0123456789abcdefghjk' };

beforeAll(async () => {
  ada = await signUp(deployment.mcpUrl, 'ada@example.com');
  eve = await signUp(deployment.mcpUrl, 'eve@example.com');
  const { slug: session, title, key, value } = { ...SECRETS };
  const opened = await call<{ session: { id: string; slug: string } }>(ada.client, 'session_open', { session: title });
  await call(ada.client, 'session_open', { session: 'Another of Ada' });
  await call(ada.client, 'state_set', { session, key, value });
  await call(ada.client, 'file_write', { session, path: 'older.txt', text: 'older' });
  const written = await call<{ file: { id: string } }>(ada.client, 'file_write', {
    session,
    path: 'offer.txt',
    text: value,
  });
  const ticket = await call<Ticket>(ada.client, 'file_upload', { session, path: 'later.txt', size: 5 });
  const link = await call<Link>(ada.client, 'file_link', { file: written.file.id });
  const files = await call<Page>(ada.client, 'file_list', { session, limit: 1 });
  const sessions = await call<Page>(ada.client, 'session_list', { limit: 1 });
  owned = {
    session: opened.session.id,
    file: written.file.id,
    upload: ticket.upload.url,
    download: link.download.url,
    fileCursor: files.next_cursor ?? '',
    sessionCursor: sessions.next_cursor ?? '',
  };
});

interface Ticket {
  readonly upload: { readonly url: string };
}
interface Link {
  readonly download: { readonly url: string };
}
interface Page {
  readonly next_cursor?: string;
}

/** All of an answer that its reader sees, except what belongs to the one request. */
interface Visible {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

function visible(status: number, headers: Headers, body: string): Visible {
  const { 'x-request-id': requestId = '', date: _, ...rest } = Object.fromEntries(headers);
  expect(requestId).not.toBe('');
  return { status, headers: rest, body: body.replaceAll(requestId, '<request>') };
}

async function http(path: string, init: RequestInit = {}): Promise<Visible> {
  const response = await fetch(new URL(path, deployment.origin), init);
  return visible(response.status, response.headers, await response.text());
}

const asEve = (path: string, init: RequestInit = {}) =>
  http(path, { ...init, headers: { ...bearer(eve.token), ...(init.headers as Record<string, string>) } });

async function toolAsEve(name: string, input: Record<string, unknown>): Promise<Visible> {
  const { status, headers, text } = await callOverTheWire(deployment.mcpUrl, eve.token, name, input);
  return visible(status, headers, text);
}

it('Ada has something of everything', () => {
  expect(owned).toEqual({
    session: expect.stringMatching(/^ses_.{20}$/),
    file: expect.stringMatching(/^fil_.{20}$/),
    upload: expect.stringContaining(`${deployment.origin}/upload/`),
    download: expect.stringContaining(`${deployment.origin}/download/`),
    fileCursor: expect.stringMatching(/./),
    sessionCursor: expect.stringMatching(/./),
  });
  // What stands in for nothing must have the same form, or the comparisons would show nothing.
  for (const [own, nothing] of [
    [owned.session, NOTHING.session],
    [owned.file, NOTHING.file],
    [SECRETS.slug, NOTHING.slug],
  ])
    expect(nothing).toHaveLength(own?.length ?? 0);
});

describe('what belongs to somebody else is answered like what does not exist', () => {
  const bySession: [string, Record<string, unknown>][] = [
    ['session_get', {}],
    ['session_update', { title: 'Taken over' }],
    ['session_archive', {}],
    ['state_get', { key: SECRETS.key }],
    ['state_set', { key: SECRETS.key, value: 'nothing' }],
    ['state_delete', { key: SECRETS.key }],
    ['state_list', {}],
    ['file_upload', { path: 'eve.txt', size: 1 }],
    ['file_write', { path: 'eve.txt', text: 'eve' }],
    ['file_list', {}],
  ];

  it.each(bySession)('a session, by id and by slug: %s', async (tool, input) => {
    const byId = await toolAsEve(tool, { ...input, session: owned.session });
    expect(byId).toEqual(await toolAsEve(tool, { ...input, session: NOTHING.session }));
    expect(byId.body).toContain('not_found');
    const bySlug = await toolAsEve(tool, { ...input, session: SECRETS.slug });
    expect(bySlug).toEqual(await toolAsEve(tool, { ...input, session: NOTHING.slug }));
    expect(bySlug.body).toContain('not_found');
  });

  it('a session that is to be opened by its id', async () => {
    const opened = await toolAsEve('session_open', { session: owned.session });
    expect(opened).toEqual(await toolAsEve('session_open', { session: NOTHING.session }));
    expect(opened.body).toContain('not_found');
  });

  it.each(['file_read', 'file_link', 'file_delete'])('a file: %s', async (tool) => {
    const theirs = await toolAsEve(tool, { file: owned.file });
    expect(theirs).toEqual(await toolAsEve(tool, { file: NOTHING.file }));
    expect(theirs.body).toContain('not_found');
  });

  it('a file as a resource', async () => {
    const read = async (id: string) => {
      const { status, headers, text } = await rpc(deployment.mcpUrl, eve.token, 'resources/read', {
        uri: `carrel://files/${id}`,
      });
      // The error names the URI that was asked for.
      return visible(status, headers, text.replaceAll(id, '<id>'));
    };
    const theirs = await read(owned.file);
    expect(theirs).toEqual(await read(NOTHING.file));
    expect(theirs.body).toContain('error');
  });

  it.each([
    ['GET', '', {}],
    ['HEAD', '', {}],
    ['GET', 'as JSON', { Accept: 'application/json' }],
    ['GET', 'as a page', { Accept: 'text/html' }],
    ['GET', 'a part', { Range: 'bytes=0-3' }],
  ] as const)('a file over HTTP: %s %s', async (method, _what, headers) => {
    const theirs = await asEve(`/files/${owned.file}`, { method, headers });
    expect(theirs).toEqual(await asEve(`/files/${NOTHING.file}`, { method, headers }));
    expect(theirs.status).toBe(404);
  });

  it('a session over HTTP', async () => {
    for (const [theirs, nobodys] of [
      [owned.session, NOTHING.session],
      [SECRETS.slug, NOTHING.slug],
    ] as const) {
      const requests = [
        (session: string) => asEve(`/files?session=${session}`),
        (session: string) => asEve(`/files?path=eve.txt&session=${session}`, { method: 'POST', body: 'eve' }),
        (session: string) =>
          asEve('/files', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ path: 'eve.txt', size: 3, session }),
          }),
      ];
      for (const request of requests) {
        const answer = await request(theirs);
        expect(answer).toEqual(await request(nobodys));
        expect(answer.status).toBe(404);
      }
    }
  });
});

describe('lists show their own person’s things', () => {
  it('with and without the cursor of somebody else', async () => {
    await call(eve.client, 'file_write', { path: 'mine.txt', text: 'mine' });
    const answers = [
      await toolAsEve('session_list', {}),
      await toolAsEve('session_list', { archived: true }),
      await toolAsEve('session_list', { cursor: owned.sessionCursor }),
      await toolAsEve('state_list', {}),
      await toolAsEve('file_list', {}),
      await toolAsEve('file_list', { all_sessions: true }),
      await toolAsEve('file_list', { all_sessions: true, cursor: owned.fileCursor }),
      await toolAsEve('whoami', {}),
      await asEve('/files'),
      await asEve('/files?all_sessions=true'),
      await asEve(`/files?all_sessions=true&cursor=${encodeURIComponent(owned.fileCursor)}`),
    ];
    for (const params of [{}, { cursor: `0:${owned.fileCursor}` }]) {
      const { status, headers, text } = await rpc(deployment.mcpUrl, eve.token, 'resources/list', params);
      answers.push(visible(status, headers, text));
    }
    const foreign = [
      ...Object.values(SECRETS),
      owned.session,
      owned.file,
      'older.txt',
      'offer.txt',
      'Another of Ada',
      ada.email,
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      for (const secret of foreign) expect(body).not.toContain(secret);
    }
    // The same words do find Ada's things where Ada asks.
    const own = (await callOverTheWire(deployment.mcpUrl, ada.token, 'file_list', { all_sessions: true })).text;
    for (const secret of [owned.file, SECRETS.slug, 'offer.txt']) expect(own).toContain(secret);
  });

  it('and a slug that two people use names two sessions', async () => {
    const opened = await call<{ session: { id: string; slug: string }; created: boolean }>(eve.client, 'session_open', {
      session: SECRETS.title,
    });
    expect(opened).toMatchObject({ created: true, session: { slug: SECRETS.slug } });
    expect(opened.session.id).not.toBe(owned.session);
    expect(await call(eve.client, 'state_list', { session: SECRETS.slug })).toMatchObject({ keys: [] });
    // From here on the slug is Eve's too, so this test is the last that asks for it.
    await call(eve.client, 'session_update', { session: SECRETS.slug, slug: 'eves-own' });
  });
});

describe('an address opens what it was made for', () => {
  /** The claims of an address are readable, its mac is not makeable. */
  const claims = (url: string) => {
    const [payload = '', mac = ''] = url.split('/').at(-1)?.split('.') ?? [];
    return { parsed: JSON.parse(atob(payload)) as (string | number)[], mac };
  };
  const forge = (kind: string, parsed: readonly (string | number)[], mac: string) =>
    `/${kind}/${btoa(JSON.stringify(parsed)).replaceAll('=', '')}.${mac}`;

  it('a mac of one’s own does not fit the claims of another', async () => {
    const { file } = await call<{ file: { id: string } }>(eve.client, 'file_write', { path: 'bait.txt', text: 'bait' });
    const link = await call<Link>(eve.client, 'file_link', { file: file.id });
    const ticket = await call<Ticket>(eve.client, 'file_upload', { path: 'bait.txt', size: 5 });
    for (const [kind, own, theirs, init] of [
      ['download', link.download.url, owned.download, {}],
      ['upload', ticket.upload.url, owned.upload, { method: 'PUT', body: 'bytes' }],
    ] as const) {
      const { parsed, mac } = claims(own);
      const [workspace = '', fileId = '', grant = ''] = claims(theirs).parsed;
      const expiry = parsed[3] ?? 0;
      const forged = [
        forge(kind, [workspace, fileId, grant, expiry], mac),
        forge(kind, [workspace, fileId, parsed[2] ?? '', expiry], mac),
        forge(kind, [parsed[0] ?? '', fileId, parsed[2] ?? '', expiry], mac),
      ];
      const nobodys = await http(forge(kind, ['per_0123456789abcdefghjk', NOTHING.file, 'grant', expiry], mac), init);
      expect(nobodys.status, kind).toBe(403);
      for (const address of forged) expect(await http(address, init), kind).toEqual(nobodys);
      // The same with one's own token beside it.
      for (const address of forged) expect(await asEve(address, init), kind).toEqual(nobodys);
    }
  });

  it('one for uploading does not download, nor the other way', async () => {
    const name = (url: string) => url.split('/').at(-1);
    expect(await http(`/download/${name(owned.upload)}`)).toMatchObject({ status: 403 });
    expect(await http(`/upload/${name(owned.download)}`, { method: 'PUT', body: 'bytes' })).toMatchObject({
      status: 403,
    });
  });
});

describe('tokens', () => {
  it('cannot be put together from those of two people', async () => {
    const parts = (token: string) => token.split(':') as [string, string, string];
    const [adaPerson, adaGrant, adaSecret] = parts(ada.token);
    const [evePerson, eveGrant, eveSecret] = parts(eve.token);
    const invented = [evePerson.replace(/.$/, (last) => (last === '0' ? '1' : '0')), eveGrant, eveSecret].join(':');
    const ask = async (token: string) => [
      await http('/files', { headers: bearer(token) }),
      await http('/mcp', {
        method: 'POST',
        headers: {
          ...bearer(token),
          'Content-Type': 'application/json',
          Accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      }),
    ];
    const refused = await ask(invented);
    for (const { status } of refused) expect(status).toBe(401);
    for (const mixed of [
      [adaPerson, eveGrant, eveSecret],
      [adaPerson, adaGrant, eveSecret],
      [adaPerson, eveGrant, adaSecret],
      [evePerson, adaGrant, adaSecret],
      [evePerson, adaGrant, eveSecret],
      [evePerson, eveGrant, adaSecret],
    ])
      expect(await ask(mixed.join(':'))).toEqual(refused);
    for (const { status } of await ask(eve.token)) expect(status).toBe(200);
  });
});

describe('after all that', () => {
  it('everything of Ada is as it was', async () => {
    const { session, file } = owned;
    expect(await call(ada.client, 'session_get', { session })).toMatchObject({
      session: { title: SECRETS.title, slug: SECRETS.slug, archived: false },
    });
    const state = await call(ada.client, 'state_get', { session, key: SECRETS.key });
    expect(state).toMatchObject({ value: SECRETS.value, version: 1 });
    expect(await call(ada.client, 'file_read', { file })).toMatchObject({ text: SECRETS.value });
    const { files } = await call<{ files: { path: string }[] }>(ada.client, 'file_list', { session });
    expect(files.map(({ path }) => path)).toEqual(['offer.txt', 'older.txt']);
    // Nobody used Ada's address.
    expect(await put(owned.upload, 5, [new TextEncoder().encode('later')])).toMatchObject({ status: 201 });
    expect(await http(owned.download)).toMatchObject({ status: 200, body: SECRETS.value });
  });
});
