import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import page from '../../docs/limits.md?raw';
import { ADDRESS_MS, READ_DELAY_MS, TRASH_MS } from '../../src/files/model.ts';
import { shareAddress } from '../../src/files/share/address.ts';
import { newId } from '../../src/lib/ids.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { cellsOf, costOf, COLUMNS, sum } from '../support/costs.ts';
import type { Costs } from '../support/costs.ts';
import { Owner, put } from '../support/files.ts';
import { rpc, rpcRequest, tool } from '../support/mcp.ts';
import { markdown, tableOf } from '../support/markdown.ts';
import { OAuthClient, outcome, Person, send } from '../support/person.ts';
import { TusUpload } from '../support/tus.ts';
import { BILL_COLUMNS, billCells, PRICE_COLUMNS, priceCells, PRICES, PRICES_DATE } from '../support/prices.ts';

const { CARREL_SECRET } = env as unknown as { CARREL_SECRET: string };
const HOUR_MS = 3_600_000;
const BYTES = 'x'.repeat(25_000);
/** What a deployment offers by default, whatever the Worker under test has beyond it. */
const DEFAULT_TOOLSETS = '/mcp?toolsets=sessions,files';

const worker = (exports as unknown as { default: { scheduled(): Promise<unknown> } }).default;

type Act = () => Promise<unknown>;

/** Something that happens in a deployment. */
interface Case {
  readonly what: string;
  readonly roundTrips: number;
  readonly d1?: number;
  /** Does what comes before, for a person of its own whose token the isolate knows. */
  readonly prepare: (owner: Owner) => Promise<Act> | Act;
}

/** Calls a tool, which must succeed. */
async function call(owner: Owner, name: string, input: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const { failed, content, text } = await tool(owner.accessToken, name, input);
  expect(failed, text).toBe(false);
  return content;
}

async function fetched(response: Promise<Response>, status = 200): Promise<string> {
  expect((await response).status).toBe(status);
  return (await response).text();
}

/** A file of 25 KB. @returns its id and an address from which to fetch it */
async function stored(owner: Owner): Promise<{ id: string; link: string }> {
  const { file } = (await call(owner, 'file_write', { path: 'notes.txt', text: BYTES })) as { file: { id: string } };
  await readTexts(owner);
  const { download } = (await call(owner, 'file_link', { file: file.id })) as { download: { url: string } };
  return { id: file.id, link: download.url };
}

/** The link of a share of a file, as its person's page makes it. */
async function shared(owner: Owner, fileId: string): Promise<string> {
  const share = {
    id: newId('shr'),
    target: { fileId },
    expiresAt: Date.now() + HOUR_MS,
    maxUses: 5,
    password: undefined,
  };
  expect(await owner.workspace.run({ kind: 'person' }, 'shares', 'make', [share, Date.now()])).toMatchObject({
    ok: true,
  });
  const claims = { workspaceId: owner.personId, shareId: share.id };
  return `/s/${await shareAddress(new Keyring([CARREL_SECRET]), claims)}`;
}

const uploadAddress = async (owner: Owner): Promise<string> => {
  const { upload } = await call(owner, 'file_upload', { path: 'notes.txt', size: BYTES.length });
  return (upload as { url: string }).url;
};

/** Keys of the default session, without a call for each. */
const addKeys = async (owner: Owner, keys: number) =>
  owner.sql(`
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${keys})
    INSERT INTO state (session_id, key, value, bytes, version, updated_at)
      SELECT 'ses_default', printf('key-%06d', n), '{"n":1}', 7, 1, 1 FROM numbers`);

const alarmOf = async ({ workspace }: Owner) =>
  runInDurableObject(workspace, async (_object, { storage }) => storage.getAlarm());

const letPass = (milliseconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds + 1000 });

const runAlarm = async ({ workspace }: Owner) => expect(await runDurableObjectAlarm(workspace)).toBe(true);

/** Has the alarms behind it that read the text of what was stored, some of which may have run by themselves. */
const readTexts = async (owner: Owner) => {
  letPass(READ_DELAY_MS);
  while ((await owner.rows('content_texts')).some(({ state }) => state === 'pending'))
    await runDurableObjectAlarm(owner.workspace);
};

const repeat = async (times: number, act: (index: number) => Promise<unknown>) => {
  for (let index = 0; index < times; index++) await act(index);
};

/** What a client and a browser do before the first call: discovery, registration, sign-in, consent, code, token. */
async function connect(person: Person): Promise<void> {
  await fetched(send('/mcp', rpcRequest('server/discover')), 401);
  await fetched(send('/.well-known/oauth-protected-resource/mcp'));
  await fetched(send('/.well-known/oauth-authorization-server'));
  await person.connect(await OAuthClient.register());
}

const CASES: readonly Case[] = [
  {
    what: '`tools/list`, the default tools',
    roundTrips: 1,
    prepare: (owner) => async () => rpc(owner.accessToken, 'tools/list', {}, { address: DEFAULT_TOOLSETS }),
  },
  { what: '`whoami`', roundTrips: 1, prepare: (owner) => async () => call(owner, 'whoami') },
  {
    what: '`whoami`, the first call of its token in an isolate',
    roundTrips: 2,
    prepare: async (owner) => {
      const again = await owner.client.refresh(owner.refreshToken);
      const fresh = new Owner(owner.client, await again.json());
      return async () => call(fresh, 'whoami');
    },
  },
  {
    what: '`whoami`, the workspace had left memory',
    roundTrips: 1,
    prepare: async (owner) => {
      await evictDurableObject(owner.workspace);
      return async () => call(owner, 'whoami');
    },
  },
  {
    what: '`session_list`, 20 sessions',
    roundTrips: 1,
    prepare: async (owner) => {
      await repeat(19, async (index) => call(owner, 'session_open', { session: `Session ${index}` }));
      return async () => call(owner, 'session_list');
    },
  },
  {
    what: '`session_open`, a new session',
    roundTrips: 1,
    prepare: (owner) => async () => call(owner, 'session_open', { session: 'Market study' }),
  },
  {
    what: '`session_open`, one that is there',
    roundTrips: 1,
    prepare: async (owner) => {
      await call(owner, 'session_open', { session: 'Market study' });
      return async () => call(owner, 'session_open', { session: 'Market study' });
    },
  },
  {
    what: '`state_get`',
    roundTrips: 1,
    prepare: async (owner) => {
      await call(owner, 'state_set', { key: 'plan', value: { step: 1 } });
      return async () => call(owner, 'state_get', { key: 'plan' });
    },
  },
  {
    what: '`state_get`, of a session named by its slug',
    roundTrips: 1,
    prepare: async (owner) => {
      await call(owner, 'session_open', { session: 'study' });
      await call(owner, 'state_set', { session: 'study', key: 'plan', value: { step: 1 } });
      return async () => call(owner, 'state_get', { session: 'study', key: 'plan' });
    },
  },
  {
    what: '`state_set`, a new key',
    roundTrips: 1,
    prepare: (owner) => async () => call(owner, 'state_set', { key: 'plan', value: { step: 1 } }),
  },
  {
    what: '`state_set`, a key that is there',
    roundTrips: 1,
    prepare: async (owner) => {
      await call(owner, 'state_set', { key: 'plan', value: { step: 1 } });
      return async () => call(owner, 'state_set', { key: 'plan', value: { step: 2 } });
    },
  },
  {
    what: '`state_list`, 50 keys',
    roundTrips: 1,
    prepare: async (owner) => {
      await addKeys(owner, 50);
      return async () => call(owner, 'state_list');
    },
  },
  {
    what: '`cart_add_item`',
    roundTrips: 1,
    prepare: (owner) => async () => call(owner, 'cart_add_item', { item: 'tea' }),
  },
  {
    what: '`file_write`, 25 KB',
    roundTrips: 2,
    prepare: (owner) => async () => call(owner, 'file_write', { path: 'notes.txt', text: BYTES }),
  },
  { what: '`file_upload`', roundTrips: 1, prepare: (owner) => async () => uploadAddress(owner) },
  {
    what: '`PUT` of 25 KB to its address',
    roundTrips: 2,
    prepare: async (owner) => {
      const address = await uploadAddress(owner);
      return async () => fetched(put(address, BYTES), 201);
    },
  },
  {
    what: '`POST /files/tus`',
    roundTrips: 2,
    prepare: (owner) => async () => TusUpload.begin(owner, 2 * BYTES.length, 'notes.txt'),
  },
  {
    what: '`PATCH` of 25 KB, and there is more to come',
    roundTrips: 3,
    prepare: async (owner) => {
      const upload = await TusUpload.begin(owner, 2 * BYTES.length, 'notes.txt');
      return async () => fetched(upload.append(0, BYTES), 204);
    },
  },
  {
    what: '`GET` of a signed address, 25 KB',
    roundTrips: 1,
    prepare: async (owner) => {
      const { link } = await stored(owner);
      return async () => fetched(send(link));
    },
  },
  {
    what: '`GET` of an address with a count, 25 KB',
    roundTrips: 2,
    prepare: async (owner) => {
      const { id } = await stored(owner);
      const { download } = await call(owner, 'file_link', { file: id, uses: 3 });
      return async () => fetched(send((download as { url: string }).url));
    },
  },
  {
    what: 'the page of a share',
    roundTrips: 2,
    prepare: async (owner) => {
      const link = await shared(owner, (await stored(owner)).id);
      return async () => fetched(send(link));
    },
  },
  {
    what: 'the download of a share, 25 KB',
    roundTrips: 3,
    prepare: async (owner) => {
      const link = await shared(owner, (await stored(owner)).id);
      return async () => fetched(send(link, { method: 'POST' }));
    },
  },
  {
    what: '`GET /files/zip`, 20 files',
    roundTrips: 1,
    prepare: async (owner) => {
      await repeat(20, async (index) => call(owner, 'file_write', { path: `notes-${index}.txt`, text: `${index}` }));
      await readTexts(owner);
      return async () => fetched(owner.fetch('/files/zip'));
    },
  },
  {
    what: '`GET /files/ID` with a token, 25 KB',
    roundTrips: 1,
    prepare: async (owner) => {
      const { id } = await stored(owner);
      return async () => fetched(owner.fetch(`/files/${id}`));
    },
  },
  {
    what: '`file_read`, 25 KB',
    roundTrips: 1,
    prepare: async (owner) => {
      const { id } = await stored(owner);
      return async () => call(owner, 'file_read', { file: id });
    },
  },
  {
    what: '`source_add`, a text of 20 KB',
    roundTrips: 4,
    prepare: async (owner) => {
      await call(owner, 'research_open');
      await call(owner, 'source_add', { texts: [pasted(1)] });
      return async () => call(owner, 'source_add', { texts: [pasted(2)] });
    },
  },
  {
    what: '`source_read`',
    roundTrips: 1,
    prepare: async (owner) => {
      await researched(owner);
      return async () => call(owner, 'source_read', { source: 'wells' });
    },
  },
  {
    what: '`quote_add`',
    roundTrips: 2,
    prepare: async (owner) => {
      await researched(owner);
      return async () => call(owner, 'quote_add', { source: 'wells', text: 'line 7 of the survey' });
    },
  },
  {
    what: '`research_search`',
    roundTrips: 1,
    prepare: async (owner) => {
      await researched(owner);
      return async () => call(owner, 'research_search', { query: 'survey' });
    },
  },
  {
    what: '`job_get`',
    roundTrips: 1,
    prepare: async (owner) => {
      const job = await finishedJob(owner);
      return async () => call(owner, 'job_get', { job });
    },
  },
  {
    what: '`job_list`, 20 jobs',
    roundTrips: 1,
    prepare: async (owner) => {
      await repeat(20, async () => finishedJob(owner));
      return async () => call(owner, 'job_list');
    },
  },
  {
    what: '`job_result`',
    roundTrips: 1,
    prepare: async (owner) => {
      const job = await finishedJob(owner);
      return async () => call(owner, 'job_result', { job });
    },
  },
  {
    what: '`file_list`, 20 files',
    roundTrips: 1,
    prepare: async (owner) => {
      let index = 0;
      await repeat(20, async () => call(owner, 'file_write', { path: `notes-${(index += 1)}.txt`, text: `${index}` }));
      await readTexts(owner);
      return async () => call(owner, 'file_list');
    },
  },
  {
    what: '`file_delete`',
    roundTrips: 1,
    prepare: async (owner) => {
      const { id } = await stored(owner);
      return async () => call(owner, 'file_delete', { file: id });
    },
  },
  {
    what: 'the trash, thirty days later, and the sweep of its bytes',
    roundTrips: 0,
    prepare: async (owner) => {
      const { id } = await stored(owner);
      await call(owner, 'file_delete', { file: id });
      letPass(TRASH_MS);
      return async () => {
        await runAlarm(owner);
        await runAlarm(owner);
      };
    },
  },
  {
    what: 'a call with an invented token',
    roundTrips: 0,
    prepare: () => async () => expect((await rpc('invented', 'tools/list')).status).toBe(401),
  },
  {
    what: 'a call with a revoked token',
    roundTrips: 1,
    prepare: async (owner) => {
      await owner.client.revoke(owner.refreshToken);
      return async () => expect((await rpc(owner.accessToken, 'tools/list')).status).toBe(401);
    },
  },
  {
    what: 'refreshing a token',
    roundTrips: 1,
    d1: 1,
    prepare: (owner) => async () => expect(await outcome(await owner.client.refresh(owner.refreshToken))).toBe('200'),
  },
  {
    what: 'connecting a client, a new person',
    roundTrips: 3,
    d1: 28,
    prepare: () => async () => connect(new Person('new@example.com')),
  },
  {
    what: 'connecting another client, signed in',
    roundTrips: 2,
    d1: 17,
    prepare: async () => {
      const person = new Person('old@example.com');
      await person.connect(await OAuthClient.register());
      return async () => connect(person);
    },
  },
  {
    what: 'the alarm that reads the text of an upload',
    roundTrips: 0,
    prepare: async (owner) => {
      await fetched(put(await uploadAddress(owner), BYTES), 201);
      letPass(READ_DELAY_MS);
      return async () => runAlarm(owner);
    },
  },
  {
    what: 'the alarm 15 minutes after an upload',
    roundTrips: 0,
    prepare: async (owner) => {
      await fetched(put(await uploadAddress(owner), BYTES), 201);
      await readTexts(owner);
      letPass(ADDRESS_MS);
      return async () => runAlarm(owner);
    },
  },
  {
    what: 'the alarm after an access token expired',
    roundTrips: 0,
    prepare: async (owner) => {
      letPass(HOUR_MS);
      await runAlarm(owner);
      await owner.client.refresh(owner.refreshToken);
      letPass(HOUR_MS);
      return async () => runAlarm(owner);
    },
  },
  {
    what: 'an hour of a workspace that nobody uses',
    roundTrips: 0,
    prepare: async (owner) => {
      letPass(HOUR_MS);
      await runAlarm(owner);
      const due = await alarmOf(owner);
      return async () => {
        vi.setSystemTime(Date.now() + HOUR_MS);
        if (due !== null && due <= Date.now()) await runAlarm(owner);
      };
    },
  },
  {
    what: 'the hourly sweep of the directory, nothing to remove',
    roundTrips: 0,
    d1: 7,
    prepare: () => async () => worker.scheduled(),
  },
];

/** What is worth a price: one case, or several that come together. */
const BILLS: Readonly<Record<string, readonly string[]>> = {
  '`tools/list`': ['`tools/list`, the default tools'],
  '`state_get`': ['`state_get`'],
  '`state_set`': ['`state_set`, a key that is there'],
  '`session_list`, 20 sessions': ['`session_list`, 20 sessions'],
  '`cart_add_item`': ['`cart_add_item`'],
  '`file_read`': ['`file_read`, 25 KB'],
  '`file_write`, with its alarms': [
    '`file_write`, 25 KB',
    'the alarm that reads the text of an upload',
    'the alarm 15 minutes after an upload',
  ],
  '`file_upload` and `PUT`, with their alarms': [
    '`file_upload`',
    '`PUT` of 25 KB to its address',
    'the alarm that reads the text of an upload',
    'the alarm 15 minutes after an upload',
  ],
  '`GET` of a signed address': ['`GET` of a signed address, 25 KB'],
  '`file_delete`, and the trash': ['`file_delete`', 'the trash, thirty days later, and the sweep of its bytes'],
  'an invented token': ['a call with an invented token'],
  'an hour of a connected client: a refresh and its alarm': [
    'refreshing a token',
    'the alarm after an access token expired',
  ],
  'connecting a new person': ['connecting a client, a new person'],
};

const counted = new Map<string, Costs>();

const costs = (what: string): Costs => {
  const found = counted.get(what);
  if (!found) throw new TypeError(`nothing was counted for ${what}`);
  return found;
};

let people = 0;
const newOwner = async () => {
  // Names of one length, so that bytes do not depend on the order.
  const owner = await Owner.signIn(`person-${String(++people).padStart(3, '0')}@example.com`);
  await call(owner, 'whoami');
  return owner;
};

afterEach(() => vi.useRealTimers());

describe('what it costs', () => {
  it.each(CASES)('$what', async ({ what, roundTrips, d1 = 0, prepare }) => {
    const owner = await newOwner();
    const result = await costOf(await prepare(owner));
    counted.set(what, result);
    // What was stored is read a second later, which would be counted for whatever case runs then.
    await readTexts(owner);
    expect([result.roundTrips, result.d1Statements]).toEqual([roundTrips, d1]);
  });

  it('is one round trip more for the first call of a token in an isolate, whatever it calls', async () => {
    const owner = await newOwner();
    const fresh = new Owner(owner.client, await (await owner.client.refresh(owner.refreshToken)).json());
    const [first, second] = [
      await costOf(async () => call(fresh, 'state_list')),
      await costOf(async () => call(fresh, 'state_list')),
    ];
    expect([first.roundTrips, second.roundTrips]).toEqual([2, 1]);
    const extra = costs('`whoami`, the first call of its token in an isolate').rowsRead - costs('`whoami`').rowsRead;
    expect(first.rowsRead - second.rowsRead).toBe(extra);
  });

  it('is the same at 10 keys and at 10,000', async () => {
    const atKeys = async (keys: number) => {
      const owner = await newOwner();
      await addKeys(owner, keys);
      return costOf(async () => call(owner, 'state_get', { key: 'key-000007' }));
    };
    expect(await atKeys(10_000)).toEqual(await atKeys(10));
  });
});

describe('docs/limits.md', () => {
  const tables = () => [
    [COLUMNS, ...CASES.map(({ what }) => [what, ...cellsOf(costs(what))])],
    [BILL_COLUMNS, ...Object.entries(BILLS).map(([what, parts]) => [what, ...billCells(sum(parts.map(costs)))])],
    [PRICE_COLUMNS, ...Object.values(PRICES).map(priceCells)],
  ];

  // Printed for whoever reads the log, and for `npm run costs`.
  beforeAll(() => console.log(tables().map(markdown).join('\n\n')));

  it.each([0, 1, 2])('has table %i as it was counted', (index) => {
    const [columns = [], ...rows] = tables()[index] ?? [];
    const remedy = 'docs/limits.md is not what was counted: `npm run costs` brings it up to date';
    expect([columns, ...rows], remedy).toEqual(tableOf(page, columns[0] ?? ''));
  });

  it('says when the prices were looked up', () => {
    expect(page).toContain(PRICES_DATE);
  });
});

/** A text of 20 KB that a research takes as a source. */
function pasted(number: number): { title: string; text: string } {
  const lines = Array.from({ length: 400 }, (_none, index) => `Here is line ${index} of the survey number ${number}.`);
  return { title: 'Wells', text: lines.join('\n\n') };
}

async function researched(owner: Owner): Promise<void> {
  await call(owner, 'research_open');
  await call(owner, 'source_add', { texts: [pasted(1)] });
  await call(owner, 'source_read', { source: 'wells' });
}

/** A job that has ended. @returns its id */
async function finishedJob(owner: Owner): Promise<string> {
  const { job } = await call(owner, 'job_start', { definition: 'test_count', input: { key: 'k', steps: 2 } });
  const { id } = job as { id: string };
  expect(await call(owner, 'job_get', { job: id, wait: 50 })).toMatchObject({ job: { status: 'completed' } });
  return id;
}
