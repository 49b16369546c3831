import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { getEncoding } from 'js-tiktoken';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';

import { ROOT } from '../../scripts/lib/paths.ts';
import type { FileBucket } from '../../src/files/bucket.ts';
import type { FileService } from '../../src/files/service.ts';
import type { UploadService } from '../../src/files/upload-service.ts';
import type { FileServices } from '../../src/files/tools.ts';
import { definePrompt } from '../../src/mcp/define-prompt.ts';
import { defineTool, READ } from '../../src/mcp/define-tool.ts';
import { Registry } from '../../src/mcp/registry.ts';
import { defineToolset } from '../../src/mcp/toolset.ts';
import type { DatasetService } from '../../src/datasets/service.ts';
import { makeDefinitions } from '../../src/jobs/definitions/all.ts';
import type { Services } from '../../src/jobs/definitions/all.ts';
import { JobService } from '../../src/jobs/service.ts';
import { jobsContents } from '../../src/jobs/tools/all.ts';
import { researchTools } from '../../src/research/tools/all.ts';
import { makeToolsets, TOOLSETS } from '../../src/toolsets.ts';

// Definitions alone: no tool is called here, so the service of the files is never reached.
const files = {} as FileServices;
const research = async () =>
  researchTools({
    bucket: {} as FileBucket,
    files: {} as FileService,
    uploads: {} as UploadService,
    loopback: false,
    robots: true,
    webSearch: undefined,
  });
const recipeTools = {
  info: () => undefined,
  call: async () => null,
  outcome: async () => ({ structured: null, text: '' }),
};
const jobService = async () =>
  new JobService({ definitions: async () => makeDefinitions({ recipeTools } as unknown as Services), keep: 0 });
const jobs = async () => jobsContents(await jobService(), async () => recipeTools, {} as DatasetService);
const toolsets = makeToolsets(TOOLSETS, { files, research, jobs, jobService });
const everything = new Registry(toolsets, Object.keys(TOOLSETS));
const everyTool = [...(await everything.select(new URLSearchParams())).tools.values()];
/** Those that a deployment has whose operator chose nothing. */
const registry = new Registry(toolsets);
const tools = [...(await registry.select(new URLSearchParams())).tools.values()];

/** The most that all default definitions may cost a client that reads them. */
const TOKEN_LIMIT = 6000;
/** As a model and a person read it. */
const NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
/** Written anew by `npx vitest run --project node test/node/registry -u`. */
const RECORD = 'test/node/tool-tokens.txt';

describe('every tool', () => {
  test.each(everyTool.map(({ tool, scope }) => [tool.name, tool, scope] as const))(
    '%s is complete',
    (name, tool, scope) => {
      expect(name).toMatch(NAME);
      expect(tool.title).not.toBe('');
      expect(tool.description.length).toBeGreaterThan(20);
      expect(Object.values(tool.annotations).every((value) => typeof value === 'boolean')).toBe(true);
      expect(Object.keys(tool.annotations).toSorted()).toEqual([
        'destructiveHint',
        'idempotentHint',
        'openWorldHint',
        'readOnlyHint',
      ]);
      expect(tool.annotations.readOnlyHint).toBe(tool.access === 'read');
      expect(scope).toMatch(/^[a-z][a-z0-9]*:(?:read|write)$/);
      expect(everything.scopes.map((each) => each.name)).toContain(scope);
      for (const schema of [
        tool.inputSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }),
        tool.outputSchema['~standard'].jsonSchema.output({ target: 'draft-2020-12' }),
      ])
        expect(schema).toMatchObject({ type: 'object', properties: expect.anything() as object });
      expect(tool.inputSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' })).toMatchObject({
        additionalProperties: false,
      });
    },
  );
});

test('every scope says in plain words what it allows', () => {
  for (const scope of everything.scopes) expect(scope.sentence).toMatch(/^[A-Z].+\.$/);
});

describe('what the definitions cost a client that reads them', () => {
  const encoding = getEncoding('o200k_base');
  const cost = everyTool.map(({ tool }) => ({
    name: tool.name,
    isDefault: tools.some((each) => each.tool.name === tool.name && each.isListed),
    tokens: encoding.encode(
      JSON.stringify({
        name: tool.name,
        title: tool.title,
        description: tool.description,
        inputSchema: tool.inputSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }),
        outputSchema: tool.outputSchema['~standard'].jsonSchema.output({ target: 'draft-2020-12' }),
        annotations: tool.annotations,
      }),
    ).length,
  }));
  const total = cost.reduce((sum, { tokens, isDefault }) => sum + (isDefault ? tokens : 0), 0);

  test(`is at most ${TOKEN_LIMIT} tokens`, () => {
    const remedy =
      'Shorten descriptions and outputs, give the toolset `onByDefault: false`, or raise TOKEN_LIMIT: every conversation pays for it';
    expect(total, remedy).toBeLessThanOrEqual(TOKEN_LIMIT);
  });

  test('is on record, so that every change of it is seen', async () => {
    // Before anything is written: `-u` records whatever it is given.
    for (const { name } of cost) expect(name).toMatch(NAME);
    const shown = cost.map(({ name, tokens, isDefault }) => ({
      name: isDefault ? name : `${name} (not listed by default)`,
      tokens,
    }));
    const lines = [...shown, { name: 'in all by default (o200k_base)', tokens: total }];
    const before = recorded();
    console.log(
      lines
        .map(({ name, tokens }) => {
          const change = before ? tokens - (before.get(name) ?? 0) : 0;
          return `${String(tokens).padStart(6)}  ${(change === 0 ? '' : change > 0 ? `+${change}` : String(change)).padStart(5)}  ${name}`;
        })
        .concat(before ? [] : ['               nothing on record in an earlier commit'])
        .join('\n'),
    );
    const record = lines.map(({ name, tokens }) => `${String(tokens).padStart(6)}  ${name}\n`).join('');
    await expect(record).toMatchFileSnapshot(join(ROOT, RECORD));
  });
});

/** The record as of the last commit that had another one to compare with: HEAD, or the commit before it in a clean checkout. */
function recorded(): Map<string, number> | undefined {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  const isChanged = git('diff', '--quiet', 'HEAD', '--', RECORD).status !== 0;
  const { status, stdout } = git('show', `${isChanged ? 'HEAD' : 'HEAD^'}:${RECORD}`);
  if (status !== 0) return undefined;
  return new Map(
    stdout
      .split('\n')
      .map((line) => /^ *(\d+) {2}(.+)$/.exec(line))
      .map((match) => [match?.[2] ?? '', Number(match?.[1])]),
  );
}

describe('an address that narrows', () => {
  const names = async (query: string) => [...(await registry.select(new URLSearchParams(query))).tools.keys()];

  test('`toolsets` leaves the tools of those', async () => {
    const sessions = await names('toolsets=sessions');
    expect(sessions.every((name) => /^(?:whoami|session_|state_)/.test(name))).toBe(true);
    expect(await names('toolsets=files,sessions')).toEqual(
      expect.arrayContaining([...sessions, ...(await names('toolsets=files'))]),
    );
  });

  test('`readonly` leaves what changes nothing', async () => {
    expect((await names('readonly=true')).length).toBeGreaterThan(0);
    expect(await names('readonly=true')).not.toContain('state_set');
    expect((await names('readonly=false')).length).toBe(tools.length);
  });

  test.each(['toolsets=nope', 'toolsets=sessions,__proto__', 'readonly=yes', 'readonly='])(
    '%s is refused',
    async (query) => {
      await expect(registry.select(new URLSearchParams(query))).rejects.toThrow(/address/);
    },
  );
});

describe('a name', () => {
  const consent = { title: 'more', read: 'More.', write: 'More.' };
  const named = {
    tool: (name: string) =>
      defineTool(name, {
        description: 'A tool with a name.',
        behaviour: READ,
        input: z.strictObject({}),
        output: z.object({}),
        handle: () => ({}),
      }),
    prompt: (name: string) =>
      definePrompt(name, { title: '', description: '', arguments: z.strictObject({}), messages: () => '' }),
    toolset: (name: string) => defineToolset(name, { consent, tools: [] }),
  };

  test.each([
    ['tool', 'whoami'],
    ['tool', 'oauth2_rotate_90'],
    ['prompt', 'cart_plan'],
    ['toolset', 'web3'],
  ] as const)('of a %s may be %s', (kind, name) => {
    expect(named[kind](name).name).toBe(name);
  });

  test.each([
    ['tool', 'reading_Add'],
    ['tool', 'reading-add'],
    ['tool', 'reading__add'],
    ['tool', '2_add'],
    ['tool', ''],
    ['prompt', 'Plan a cart'],
    ['toolset', 'Reading'],
    ['toolset', 'reading_list'],
  ] as const)('of a %s cannot be %s, and it is said what it looks like', (kind, name) => {
    expect(() => named[kind](name)).toThrow(
      new RegExp(`^no ${kind} can be called \`${name}\`: its name is .* such as \`cart`),
    );
  });
});

test('two tools of one name are refused, and a toolset is off unless it is named', () => {
  const tool = defineTool('whoami', {
    title: 'Again',
    description: 'A second tool of the same name.',
    behaviour: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    input: z.strictObject({}),
    output: z.object({}),
    handle: async () => ({}),
    text: () => '',
  });
  const consent = { title: 'more', read: 'More.', write: 'More.' };
  expect(
    () =>
      new Registry([
        ...toolsets,
        defineToolset('again', { consent, tools: [tool] }),
        defineToolset('more', { consent, tools: [tool] }),
      ]),
  ).toThrow(/whoami/);
  const off = defineToolset('more', {
    consent,
    onByDefault: false,
    tools: [{ ...tool, name: 'more_read' }],
  });
  expect(new Registry([...toolsets, off]).toolsets).not.toContain(off);
  expect(new Registry([...toolsets, off], ['more']).toolsets).toEqual([off]);
});

test('a toolset that is listed under another name is refused', () => {
  const services = { files, research, jobs, jobService };
  expect(() => makeToolsets({ shop: () => makeToolsets(TOOLSETS, services).at(-1)! }, services)).toThrow(
    /the toolset \w+ is listed as shop/,
  );
});

describe('a toolset that is loaded with the first request', () => {
  const consent = { title: 'more', read: 'More.', write: 'More.' };
  const tool = (name: string) =>
    defineTool(name, {
      description: 'A tool of a toolset that is loaded.',
      behaviour: READ,
      input: z.strictObject({}),
      output: z.object({}),
      handle: () => ({}),
    });
  const listed = async (made: Registry, query: string) =>
    [...(await made.select(new URLSearchParams(query))).tools.values()]
      .filter(({ isListed }) => isListed)
      .map(({ tool: { name } }) => name);

  test('has its scopes before, and its tools then', async () => {
    const more = new Registry([defineToolset('more', { consent, load: async () => ({ tools: [tool('more_read')] }) })]);
    expect(more.scopes.map(({ name }) => name)).toEqual(['more:read', 'more:write']);
    expect(await listed(more, '')).toEqual(['more_read']);
  });

  test('may list a part of its tools, and all where the address names it', async () => {
    const load = async () => ({ tools: ['more_read', 'more_rare'].map(tool) });
    const more = new Registry([defineToolset('more', { consent, core: ['more_read'], load })]);
    expect(await listed(more, '')).toEqual(['more_read']);
    expect([...(await more.select(new URLSearchParams())).tools.keys()]).toEqual(['more_read', 'more_rare']);
    expect(await listed(more, 'toolsets=more')).toEqual(['more_read', 'more_rare']);
  });

  test('that lists none has its prompts where the address names it', async () => {
    const prompt = definePrompt('more_plan', {
      title: 'Plan',
      description: 'Plans more.',
      arguments: z.strictObject({}),
      messages: () => 'More.',
    });
    const load = async () => ({ tools: [tool('more_read')], prompts: [prompt] });
    const more = new Registry([defineToolset('more', { consent, core: [], load })]);
    const prompts = async (query: string) => [...(await more.select(new URLSearchParams(query))).prompts.keys()];
    expect(await prompts('')).toEqual([]);
    expect(await prompts('toolsets=more')).toEqual(['more_plan']);
    expect((await more.select(new URLSearchParams())).instructions).toContain('?toolsets=more');
  });

  test('is loaded once, however addresses name it, and again where that failed', async () => {
    let loaded = 0;
    const load = async () => {
      loaded += 1;
      if (loaded === 1) throw new Error('no network');
      return { tools: [tool('more_read')] };
    };
    const more = new Registry([defineToolset('more', { consent, load })]);
    await expect(more.select(new URLSearchParams())).rejects.toThrow(/no network/);
    const queries = ['', 'readonly=true', 'toolsets=more', 'toolsets=more,more', 'toolsets=more, more'];
    for (const query of queries) await more.select(new URLSearchParams(query));
    expect(loaded).toBe(2);
  });

  test('may not have a tool of a name that is taken', async () => {
    const more = new Registry([
      defineToolset('more', { consent, load: async () => ({ tools: [tool('whoami')] }) }),
      ...toolsets,
    ]);
    await expect(more.select(new URLSearchParams())).rejects.toThrow(/whoami/);
  });
});
