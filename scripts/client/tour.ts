import type { Client } from '@modelcontextprotocol/client';

import { mustBe, Unexpected } from '../lib/steps.ts';
import type { Steps } from '../lib/steps.ts';
import { decide, offeredScopes, signInWithEmail } from './browser.ts';
import type { Browser } from './browser.ts';
import { digestOf, noise } from './bytes.ts';
import type { Digest } from './bytes.ts';
import { call, connectWithToken, knock, MODERN } from './mcp.ts';
import type { AppAuth } from './mcp.ts';
import { get, put } from './transfer.ts';

/**
 * The main job, step by step, as a real client does it: `npm run demo` takes these steps on a server
 * of its own, `npm run smoke` on any deployment.
 */

/** The person's part of a sign-in: from the link to the address that leads back to the app. */
export type FollowLink = (steps: Steps, link: URL) => Promise<URL>;

/** An app that was let in. */
export interface Connection {
  readonly origin: string;
  readonly token: string;
  readonly client: Client;
}

/** What the tour makes in the workspace. Filled step by step, so that it can be undone from any of them. */
export interface Belongings {
  session?: SessionRef;
  file?: FileRef;
}

interface SessionRef {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
}

interface FileRef extends Digest {
  readonly id: string;
  readonly path: string;
}

const FILE_BYTES = 25_000_000;
const STATE_KEY = 'findings';
const STATE_VALUE = { question: 'Is it still there?', sources: ['a page', 'a paper'], checked: false };
const NEEDED_TOOLS =
  'session_open session_get session_archive state_set state_get state_delete file_upload file_list file_link file_delete'.split(
    ' ',
  );

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** Knocks, registers, has the person sign in and allow, and changes the code for a token. */
export async function signIn(steps: Steps, origin: string, auth: AppAuth, follow: FollowLink): Promise<Client> {
  const pending = await steps.step({
    name: 'Knock without a token',
    expected: 'a 401 whose challenge leads to the authorization server, where the client registers itself',
    run: () => knock(`${origin}/mcp`, auth),
    note: () => `registered as ${auth.clientId}`,
  });
  const callback = await follow(steps, pending.link);
  return steps.step({
    name: 'Change the code for a token',
    expected: 'an access token that /mcp takes',
    run: () => pending.finish(callback),
    note: (client) => `MCP ${client.getNegotiatedProtocolVersion() ?? ''}`,
  });
}

/** A person who fills in the development sign-in and allows everything: no human needed. */
export function throughForms(browser: Browser, email: string): FollowLink {
  return async (steps, link) => {
    const consent = await steps.step({
      name: 'Sign in through the form',
      expected: 'a sign-in form that takes an e-mail address, and then the consent page',
      run: async () => {
        const page = await signInWithEmail(browser, await browser.open(link), email);
        if (offeredScopes(page).length === 0)
          throw new Unexpected('the consent page', `${page.url.pathname} with status ${page.status}`);
        return page;
      },
      note: () => email,
    });
    return steps.step({
      name: 'Allow it on the consent page',
      expected: 'a page that names the person, and after Allow the way back to the client with a code',
      run: async () => {
        if (!consent.body.includes(email)) throw new Unexpected(`a page that names ${email}`, 'one that does not');
        const back = await decide(browser, consent, 'approve');
        if (!back.url.searchParams.has('code')) throw new Unexpected('a redirect with a code', back.url.href);
        return back.url;
      },
      note: () => `${offeredScopes(consent).length} permissions`,
    });
  };
}

/** Lists the tools, opens a session, keeps state, uploads a file and fetches it again. */
export async function work(steps: Steps, { client, ...access }: Connection, made: Belongings): Promise<void> {
  await lookAround(steps, client);
  const session = await openSession(steps, client, made);
  await keepState(steps, client, session);
  const file = await upload(steps, client, session, made);
  await readEntryOverHttp(steps, access, file);
  await readIndex(steps, client, session, file);
  await download(steps, client, file);
}

/** Comes back later with the token alone: everything that was made must be there. */
export async function comeBack(steps: Steps, origin: string, token: string, made: Required<Belongings>): Promise<void> {
  const client = await steps.step({
    name: 'Connect with the same token',
    expected: 'the token is still good',
    run: () => connectWithToken(`${origin}/mcp`, token),
  });
  try {
    await steps.step({
      name: 'Find the session by its slug',
      expected: 'the session that was opened before',
      run: async () => {
        const { session } = await call<{ session: SessionRef }>(client, 'session_get', { session: made.session.slug });
        mustBe('id', session.id, made.session.id);
      },
      note: () => made.session.slug,
    });
    await readState(steps, client, made.session, 'Read the state');
    await readIndex(steps, client, made.session, made.file);
    await download(steps, client, made.file);
  } finally {
    await client.close();
  }
}

/** Removes what the tour made, as far as it got. */
export async function leave(steps: Steps, client: Client, { session }: Belongings): Promise<void> {
  if (!session) return;
  await steps.step({
    name: 'Delete the file',
    expected: 'no file is left in the session',
    run: async () => {
      // All that the session has: an upload whose answer was lost has stored its file too.
      const list = () => call<{ files: FileRef[] }>(client, 'file_list', { session: session.id });
      const { files } = await list();
      for (const { id } of files) await call(client, 'file_delete', { file: id });
      mustBe('files', (await list()).files, []);
      return files.length;
    },
    note: (count) => (count === 0 ? 'there was none' : ''),
  });
  await steps.step({
    name: 'Archive the session',
    expected: 'the session is archived and holds no state',
    run: async () => {
      await call(client, 'state_delete', { session: session.id, key: STATE_KEY });
      const answer = await call<{ session: { archived: boolean } }>(client, 'session_archive', { session: session.id });
      mustBe('archived', answer.session.archived, true);
    },
    note: () => session.slug,
  });
}

async function lookAround(steps: Steps, client: Client): Promise<void> {
  await steps.step({
    name: 'List the tools',
    expected: `the tools ${NEEDED_TOOLS.join(', ')}`,
    run: async () => {
      mustBe('protocol', client.getNegotiatedProtocolVersion(), MODERN);
      const { tools } = await client.listTools();
      const missing = NEEDED_TOOLS.filter((name) => !tools.some((tool) => tool.name === name));
      if (missing.length > 0)
        throw new Unexpected('all tools that are needed here', `a list without ${missing.join(', ')}`);
      return tools;
    },
    note: (tools) => `${tools.length} tools`,
  });
}

async function openSession(steps: Steps, client: Client, made: Belongings): Promise<SessionRef> {
  // A title of its own, so that nothing in a real workspace is taken for ours.
  const title = `Tour ${crypto.randomUUID().slice(0, 13)}`;
  return steps.step({
    name: 'Open a session',
    expected: 'a new session with this title',
    run: async () => {
      const opened = await call<{ session: SessionRef; created: boolean }>(client, 'session_open', { session: title });
      made.session = opened.session;
      mustBe('created', opened.created, true);
      mustBe('title', opened.session.title, title);
      return opened.session;
    },
    note: ({ slug }) => slug,
  });
}

async function keepState(steps: Steps, client: Client, session: SessionRef): Promise<void> {
  await steps.step({
    name: 'Write state',
    expected: 'version 1 of a new key',
    run: async () => {
      const input = { session: session.slug, key: STATE_KEY, value: STATE_VALUE, expected_version: 0 };
      const { version } = await call(client, 'state_set', input);
      mustBe('version', version, 1);
    },
    note: () => STATE_KEY,
  });
  await readState(steps, client, session, 'Read it back');
}

async function readState(steps: Steps, client: Client, session: SessionRef, name: string): Promise<void> {
  await steps.step({
    name,
    expected: 'the value that was written',
    run: async () => {
      const { value, version } = await call(client, 'state_get', { session: session.slug, key: STATE_KEY });
      mustBe('value', value, STATE_VALUE);
      mustBe('version', version, 1);
    },
    note: () => 'the same value',
  });
}

async function upload(steps: Steps, client: Client, session: SessionRef, made: Belongings): Promise<FileRef> {
  const path = 'tour/bytes.bin';
  const known = await digestOf(noise(FILE_BYTES));
  const ticket = await steps.step({
    name: 'Ask for an upload address',
    expected: 'an address for the bytes that needs no other credential',
    run: () =>
      call<{ file: { id: string }; upload: { url: string } }>(client, 'file_upload', {
        path,
        session: session.slug,
        ...known,
      }),
    note: ({ file }) => file.id,
  });
  return steps.step({
    name: `Upload ${megabytes(FILE_BYTES)} over HTTP`,
    expected: '201 with the file',
    run: async () => {
      const { status, answer } = await put(ticket.upload.url, FILE_BYTES, noise(FILE_BYTES));
      if (status !== 201) throw new Unexpected('status 201', `${status}: ${JSON.stringify(answer)}`);
      made.file = { id: ticket.file.id, path, ...known };
      return made.file;
    },
    note: () => 'PUT, streamed',
  });
}

async function readEntryOverHttp(
  steps: Steps,
  { origin, token }: Omit<Connection, 'client'>,
  file: FileRef,
): Promise<void> {
  await steps.step({
    name: 'Read its entry over HTTP',
    expected: '200 with the file, for the token of /mcp',
    run: async () => {
      const headers = { Authorization: `Bearer ${token}`, Accept: 'application/json' };
      const response = await fetch(`${origin}/files/${file.id}`, { headers });
      mustBe('status', response.status, 200);
      const answer: { file: FileRef } = await response.json();
      mustBe('entry', entryOf(answer.file), file);
    },
    note: () => `GET /files/${file.id}`,
  });
}

const entryOf = ({ id, path, size, sha256 }: FileRef): FileRef => ({ id, path, size, sha256 });

async function readIndex(steps: Steps, client: Client, session: SessionRef, file: FileRef): Promise<void> {
  await steps.step({
    name: 'Read its index entry over MCP',
    expected: 'the file with its size and its SHA-256',
    run: async () => {
      const { files } = await call<{ files: FileRef[] }>(client, 'file_list', { session: session.slug });
      const entry = files.find(({ id }) => id === file.id);
      if (!entry) throw new Unexpected(`the file ${file.id}`, `a list of ${files.length} without it`);
      mustBe('entry', entryOf(entry), file);
    },
    note: () => `${file.path}, ${megabytes(file.size)}`,
  });
}

async function download(steps: Steps, client: Client, file: FileRef): Promise<void> {
  const received = await steps.step({
    name: 'Download it',
    expected: `200 with ${file.size} bytes`,
    run: async () => {
      const link = await call<{ download: { url: string } }>(client, 'file_link', { file: file.id });
      const { status, ...digest } = await get(link.download.url);
      mustBe('status', status, 200);
      mustBe('bytes', digest.size, file.size);
      return digest;
    },
    note: () => 'GET, streamed',
  });
  await steps.step({
    name: 'Compare the SHA-256',
    expected: file.sha256,
    run: async () => mustBe('sha256', received.sha256, file.sha256),
    note: () => `${file.sha256.slice(0, 24)}…`,
  });
}
