import { Client as ClientV2, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { beforeAll, describe, expect, it } from 'vitest';

import { approve } from '../../scripts/client/browser.ts';
import { call, connectWithToken } from '../../scripts/client/mcp.ts';
import { useDeployment } from './support/deployment.ts';
import { rpc } from './support/json-rpc.ts';
import { signUp } from './support/people.ts';
import type { Person } from './support/people.ts';
import { connectV1, V1Auth } from './support/sdk-v1.ts';

const deployment = useDeployment();

/** One person, with an app of each era. */
let person: Person;
let v1: ClientV1;

beforeAll(async () => {
  person = await signUp(deployment.mcpUrl, 'ada@example.com');
  const auth = new V1Auth((link) => approve(person.browser, link, person.email));
  ({ client: v1 } = await connectV1(deployment.mcpUrl, auth));
});

/** Both clients under one name each, for what must be the same in both eras. */
const bothEras = [
  { era: '2026-07-28, SDK v2', client: () => person.client },
  { era: '2025-11-25, SDK v1', client: () => v1 },
] as const;

describe('both eras get the same', () => {
  it('tools, in the same order', async () => {
    const modern = (await person.client.listTools()).tools;
    const legacy = (await v1.listTools()).tools;
    expect(modern.map(({ name }) => name)).toEqual(legacy.map(({ name }) => name));
    expect(modern.map(({ name, inputSchema, description }) => ({ name, inputSchema, description }))).toEqual(
      legacy.map(({ name, inputSchema, description }) => ({ name, inputSchema, description })),
    );
    expect(modern.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['whoami', 'session_open', 'state_set', 'file_upload', 'file_delete']),
    );
  });

  it('resources, and what is in them', async () => {
    const { file } = await call<{ file: { id: string } }>(person.client, 'file_write', {
      path: 'ode.txt',
      text: 'An ode. ✓',
    });
    const uri = `carrel://files/${file.id}`;
    for (const { era, client } of bothEras) {
      const { resources } = await client().listResources();
      expect(resources, era).toEqual([
        expect.objectContaining({ uri, name: 'ode.txt', mimeType: 'text/plain', size: 11 }),
      ]);
      const { contents } = await client().readResource({ uri });
      expect(contents, era).toEqual([{ uri, mimeType: 'text/plain', text: 'An ode. ✓' }]);
      const { resourceTemplates } = await client().listResourceTemplates();
      expect(
        resourceTemplates.map(({ uriTemplate }) => uriTemplate),
        era,
      ).toEqual(['carrel://files/{+file}']);
      const missing = client().readResource({ uri: 'carrel://files/fil_00000000000000000000' });
      await expect(missing, era).rejects.toThrow(/not found/i);
    }
  });

  it.each(bothEras)('errors that the client can read ($era)', async ({ client }) => {
    // With the list a client knows the output schemas, and holds every result against them.
    await client().listTools();
    const cases = [
      { name: 'session_get', input: { session: 'nowhere' }, text: /^not_found: There is no such session/ },
      { name: 'state_set', input: { key: 'k', value: 1, expected_version: 7 }, text: /^conflict: .*"version":0/ },
      { name: 'state_get', input: { key: '' }, text: /^invalid_input: .*`key` is empty/ },
      { name: 'file_read', input: { file: 'fil_00000000000000000000' }, text: /^not_found: There is no such file/ },
      { name: 'state_set', input: { key: 'k', value: 'x'.repeat(262_144) }, text: /^too_large: / },
      { name: 'session_archive', input: { session: 'default' }, text: /^unsupported: / },
    ];
    for (const { name, input, text } of cases) {
      const result = await client().callTool({ name, arguments: input });
      expect(result.isError, name).toBe(true);
      expect(result.content, name).toEqual([{ type: 'text', text: expect.stringMatching(text) }]);
    }
    await expect(client().callTool({ name: 'no_such_tool', arguments: {} })).rejects.toThrow(/no_such_tool|not found/);
  });
});

describe('the address narrows', () => {
  const READ_ONLY_FILES = ['file_list', 'file_search', 'file_read', 'file_link', 'file_wait', 'search', 'fetch'];

  it('what is listed and what may be called', async () => {
    const narrow = `${deployment.mcpUrl}?toolsets=files&readonly=true`;
    const client = await connectWithToken(narrow, person.token);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(READ_ONLY_FILES);
    expect(await call(client, 'file_list')).toHaveProperty('files');
    for (const name of ['file_write', 'session_list', 'whoami'])
      await expect(client.callTool({ name, arguments: {} }), name).rejects.toThrow(name);
    await client.close();

    for (const name of ['file_write', 'session_list']) {
      const { message } = await rpc(narrow, person.token, 'tools/call', { name, arguments: { path: 'a', text: 'b' } });
      expect(message.error?.code, name).toBe(-32602);
    }
    // Nothing was written by the refused call.
    const { files } = await call<{ files: { path: string }[] }>(person.client, 'file_list');
    expect(files.map(({ path }) => path)).not.toContain('a');
  });

  it('a sign-in that begins at a narrowed address', async () => {
    const client = (await signUp(`${deployment.mcpUrl}?toolsets=sessions`, 'cleo@example.com')).client;
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('session_open');
    expect(names).not.toContain('file_list');
    // Resources belong to the files toolset.
    expect((await client.listResources()).resources).toEqual([]);
  });

  it.each(['toolsets=files,nonsense', 'readonly=maybe'])('an unknown value is refused: ?%s', async (query) => {
    const answer = await rpc(`${deployment.mcpUrl}?${query}`, person.token, 'tools/list');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.message).toMatchObject({ code: 'invalid_input', status: 400 });
    const client = new ClientV2({ name: 'v2', version: '1.0.0' });
    const token = async () => person.token;
    const transport = new StreamableHTTPClientTransport(new URL(`${deployment.mcpUrl}?${query}`), {
      authProvider: { token },
    });
    await expect(client.connect(transport)).rejects.toThrow(/400|address/);
  });
});
