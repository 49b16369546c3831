import { getEncoding } from 'js-tiktoken';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';

import type { FileService } from '../../src/files/service.ts';
import { filesToolset } from '../../src/files/tools.ts';
import { defineTool } from '../../src/mcp/define-tool.ts';
import { Registry } from '../../src/mcp/registry.ts';
import { defineToolset } from '../../src/mcp/toolset.ts';
import { SessionService } from '../../src/sessions/service.ts';
import { sessionsToolset } from '../../src/sessions/tools.ts';

// Definitions alone: no tool is called here, so the service of the files is never reached.
const toolsets = [sessionsToolset(new SessionService()), filesToolset({} as FileService)];
const registry = new Registry(toolsets);
const all = registry.select(new URLSearchParams());
const tools = [...all.tools.values()];

/** The most that all default definitions may cost a client that reads them. */
const TOKEN_LIMIT = 6000;

describe('every tool', () => {
  test.each(tools.map(({ tool, scope }) => [tool.name, tool, scope] as const))(
    '%s is complete',
    (name, tool, scope) => {
      expect(name).toMatch(/^[a-z]+(?:_[a-z]+)?$/);
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
      expect(scope).toMatch(/^[a-z]+:(?:read|write)$/);
      expect(registry.scopes.map((each) => each.name)).toContain(scope);
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
  for (const scope of registry.scopes) expect(scope.sentence).toMatch(/^[A-Z].+\.$/);
});

test(`all definitions together cost at most ${TOKEN_LIMIT} tokens`, () => {
  const encoding = getEncoding('o200k_base');
  const cost = tools.map(({ tool }) => ({
    name: tool.name,
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
  const total = cost.reduce((sum, { tokens }) => sum + tokens, 0);
  console.log(cost.map(({ name, tokens }) => `${String(tokens).padStart(6)}  ${name}`).join('\n'));
  console.log(`${String(total).padStart(6)}  tokens in all (o200k_base)`);
  expect(total).toBeLessThanOrEqual(TOKEN_LIMIT);
});

describe('an address that narrows', () => {
  const names = (query: string) => [...registry.select(new URLSearchParams(query)).tools.keys()];

  test('`toolsets` leaves the tools of those', () => {
    expect(names('toolsets=sessions').every((name) => /^(?:whoami|session_|state_)/.test(name))).toBe(true);
    expect(names('toolsets=files,sessions').length).toBe(tools.length);
  });

  test('`readonly` leaves what changes nothing', () => {
    expect(names('readonly=true').length).toBeGreaterThan(0);
    expect(names('readonly=true')).not.toContain('state_set');
    expect(names('readonly=false').length).toBe(tools.length);
  });

  test.each(['toolsets=nope', 'toolsets=sessions,__proto__', 'readonly=yes', 'readonly='])('%s is refused', (query) => {
    expect(() => registry.select(new URLSearchParams(query))).toThrow(/address/);
  });
});

test('two tools of one name are refused, and a toolset is off unless it is named', () => {
  const tool = defineTool({
    name: 'whoami',
    title: 'Again',
    description: 'A second tool of the same name.',
    access: 'read',
    behaviour: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    input: z.strictObject({}),
    output: z.object({}),
    handle: async () => ({}),
    text: () => '',
  });
  const consent = { title: 'more', read: 'More.', write: 'More.' };
  expect(() => new Registry([...toolsets, defineToolset({ name: 'more', consent, tools: [tool] })])).toThrow(/whoami/);
  const off = defineToolset({ name: 'more', consent, onByDefault: false, tools: [{ ...tool, name: 'more_read' }] });
  expect(new Registry([...toolsets, off]).toolsets).toHaveLength(2);
  expect(new Registry([...toolsets, off], ['more']).toolsets).toEqual([off]);
});
