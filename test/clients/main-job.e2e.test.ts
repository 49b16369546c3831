import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { approve, Browser } from '../../scripts/client/browser.ts';
import { useDeployment } from '../e2e/support/deployment.ts';
import { signUp } from '../e2e/support/people.ts';
import { aiSdk } from './adapters/ai-sdk.ts';
import type { App, Follow } from './adapters/client.ts';
import { curl, hasCurl, shell } from './adapters/curl.ts';
import { Folder } from './adapters/folder.ts';
import { inspectorCli } from './adapters/inspector.ts';
import { mcpRemote } from './adapters/mcp-remote.ts';
import { sdkV1, sdkV2 } from './adapters/sdk.ts';

const deployment = useDeployment();

interface Client {
  readonly name: string;
  readonly install: () => App;
  /** What it speaks with us, where it tells. */
  readonly revision: string | undefined;
}

const clients: Client[] = [
  { name: 'the SDK v2', install: sdkV2, revision: '2026-07-28' },
  { name: 'the SDK v1', install: sdkV1, revision: '2025-11-25' },
  { name: 'the Inspector’s CLI, modern', install: () => inspectorCli('modern'), revision: '2026-07-28' },
  { name: 'the Inspector’s CLI, legacy', install: () => inspectorCli('legacy'), revision: '2025-11-25' },
  { name: 'mcp-remote as it comes', install: () => mcpRemote('legacy'), revision: undefined },
  { name: 'mcp-remote that asks first', install: () => mcpRemote('auto'), revision: '2026-07-28' },
  { name: '@ai-sdk/mcp', install: aiSdk, revision: '2026-07-28' },
  ...(hasCurl ? [{ name: 'curl', install: curl, revision: undefined }] : []),
];

/** What quotes, line ends and encodings may break on the way. */
const VALUE = { verses: ['“Rose”, said she', "it's\n$HOME `x`"], count: 2, none: null };
const TEXT = "An ode.\n✓ “Ünï” it's $HOME\n";

describe.each(clients)('the main job, with $name', ({ name, install, revision }) => {
  it('signs in once, lists tools, keeps state, and reads a file', async () => {
    const app = install();
    onTestFinished(() => app.remove());
    const email = `${name.replaceAll(/\W+/g, '-').toLowerCase()}@example.com`;
    const browser = new Browser(deployment.origin);
    let visits = 0;
    const follow: Follow = async (link) => {
      visits += 1;
      return approve(browser, link, email);
    };

    const first = await app.connect(deployment.mcpUrl, follow);
    expect(visits).toBe(1);
    expect(await first.listTools()).toEqual(
      expect.arrayContaining(['whoami', 'session_open', 'state_set', 'state_get', 'file_write', 'file_read']),
    );
    expect(await first.call('whoami', {})).toMatchObject({ name: email });
    expect(await first.call('state_set', { key: 'ode', value: VALUE, expected_version: 0 })).toMatchObject({
      version: 1,
    });
    const { file } = (await first.call('file_write', { path: 'ode.txt', text: TEXT })) as { file: { id: string } };
    await first.close();

    // It comes back as after a restart, with what it kept and without its person.
    const second = await app.connect(deployment.mcpUrl, follow);
    expect(await second.call('state_get', { key: 'ode' })).toMatchObject({ version: 1, value: VALUE });
    expect(await second.call('file_read', { file: file.id })).toMatchObject({ text: TEXT });
    expect(await second.read(`carrel://files/${file.id}`)).toBe(TEXT);
    // With the list a client knows the output schemas, and holds every result against them.
    await second.listTools();
    await expect(second.call('state_get', { key: 'epic' })).rejects.toThrow(/not_found/);
    expect(second.revision()).toBe(revision);
    expect(visits).toBe(1);
    await second.close();
  });
});

// As after a server was set up anew, or has swept clients that nobody used for long.
it('mcp-remote whose client was forgotten finds out at the refresh, registers again, and signs in', async () => {
  const home = new Folder();
  const app = mcpRemote('legacy', home);
  onTestFinished(() => app.remove());
  /** The clients for which a person had to come. */
  const asked: (string | null)[] = [];
  const connect = async () => {
    const browser = new Browser(deployment.origin);
    const connection = await app.connect(deployment.mcpUrl, async (link) => {
      asked.push(link.searchParams.get('client_id'));
      return approve(browser, link, 'forgotten@example.com');
    });
    expect(await connection.listTools()).toContain('whoami');
    await connection.close();
  };
  await connect();
  home.edit('client_info.json', { client_id: 'forgotten' });
  home.edit('tokens.json', { access_token: 'gone', refresh_token: 'gone' });
  await connect();
  await connect();
  expect(asked).toEqual([expect.any(String), expect.not.stringMatching(/^forgotten$/)]);
});

/** The commands of README.md's shell blocks, without their comments. */
function readmeCommands(): string[] {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split('\n')).map((line) => line.replace(/\s+#\s.*$/, ''));
}

describe.runIf(hasCurl)('the curl lines of README.md', () => {
  const REPORT = 'not really a PDF ✓\n';
  const SCANS = ['1.png', '2.png'];
  let folder: Folder;
  let uploaded = '';

  /** What each line must come to, in the order of the file. One that is not here is one that nobody tried. */
  const outcomes: {
    readonly line: RegExp;
    readonly in: string;
    readonly check: (output: string) => Promise<void> | void;
  }[] = [
    {
      line: / -T report\.pdf -X POST '\S+\/files\?path=report\.pdf'$/,
      in: 'here',
      check: (output) => {
        const { file } = JSON.parse(output) as { file: { id: string } };
        expect(file).toMatchObject({ path: 'report.pdf', size: new TextEncoder().encode(REPORT).byteLength });
        uploaded = file.id;
      },
    },
    {
      line: / -F folder=scans -F file=@1\.png -F file=@2\.png \S+\/files$/,
      in: 'here',
      check: (output) => {
        for (const name of SCANS) expect(output).toContain(`"path":"scans/${name}"`);
      },
    },
    {
      line: /\/files$/,
      in: 'here',
      check: (output) => {
        const { files } = JSON.parse(output) as { files: { id: string; path: string }[] };
        expect(files.find(({ id }) => id === uploaded)?.path).toBe('report.pdf');
        expect(files).toHaveLength(1 + SCANS.length);
      },
    },
    {
      line: /\/files\/ID$/,
      // curl overwrites nothing: beside the file that was sent it would save none.
      in: 'elsewhere',
      check: async () => expect(await readFile(join(folder.path, 'elsewhere', 'report.pdf'), 'utf8')).toBe(REPORT),
    },
    {
      line: /\/mcp -d '\{"jsonrpc".*"name":"whoami"\}\}'$/,
      in: 'here',
      check: (output) =>
        expect(JSON.parse(output)).toMatchObject({ result: { structuredContent: { name: 'readme@example.com' } } }),
    },
  ];

  it('upload a file, list it, fetch it, and call a tool', async () => {
    folder = new Folder();
    onTestFinished(() => folder.remove());
    const { token } = await signUp(deployment.mcpUrl, 'readme@example.com');
    for (const name of ['here', 'elsewhere']) await mkdir(join(folder.path, name));
    await writeFile(join(folder.path, 'here', 'report.pdf'), REPORT);
    for (const name of SCANS) await writeFile(join(folder.path, 'here', name), name);

    const lines = readmeCommands().filter((line) => line.startsWith('curl '));
    expect(lines.map((line) => outcomes.findIndex((outcome) => outcome.line.test(line)))).toEqual([0, 1, 2, 3, 4]);
    for (const [index, line] of lines.entries()) {
      const { in: place, check } = outcomes[index]!;
      const own = line.replace('http://localhost:8787', deployment.origin).replace(/\bID$/, uploaded);
      expect(own).toContain(deployment.origin);
      await check(await shell(own, token, join(folder.path, place)));
    }
  });
});
