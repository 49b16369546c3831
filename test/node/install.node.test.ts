import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { connectLines } from '../../scripts/lib/connect.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { clientGuides } from '../../src/console/client-guides.tsx';
import { clientLines } from '../../src/console/client-lines.ts';
import { installLinks } from '../../src/console/install-links.ts';
import { shellQuoted } from '../../src/lib/shell.ts';
import { VERSION } from '../../src/version.ts';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const LOCAL = 'http://localhost:8787/mcp';

/** The JSON of a parameter in base64. */
const fromBase64 = (text: string | null) => {
  const bytes = Uint8Array.from(atob(text ?? ''), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
};

/** What a client reads out of its link. */
const readers: Record<keyof typeof installLinks, (link: URL) => unknown> = {
  claude: ({ searchParams }) => ({ url: searchParams.get('connectorUrl') }),
  cursor: ({ searchParams }) => ({
    name: searchParams.get('name'),
    ...(fromBase64(searchParams.get('config')) as object),
  }),
  vscode: ({ search }) => JSON.parse(decodeURIComponent(search.slice(1))) as unknown,
  vscodeInsiders: ({ search }) => JSON.parse(decodeURIComponent(search.slice(1))) as unknown,
  goose: ({ searchParams }) => ({ name: searchParams.get('name'), url: searchParams.get('url') }),
  lmStudio: ({ searchParams }) => ({
    name: searchParams.get('name'),
    ...(fromBase64(searchParams.get('config')) as object),
  }),
};

describe('the links that add this server to a client', () => {
  it('have the forms that the clients document', () => {
    const url = 'https://carrel.example.com/mcp';
    expect(
      Object.fromEntries(Object.entries(installLinks).map(([name, link]) => [name, link(url, 'carrel').href])),
    ).toEqual({
      claude:
        'https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=Carrel&connectorUrl=https%3A%2F%2Fcarrel.example.com%2Fmcp',
      cursor:
        'cursor://anysphere.cursor-deeplink/mcp/install?name=carrel&config=eyJ1cmwiOiJodHRwczovL2NhcnJlbC5leGFtcGxlLmNvbS9tY3AifQ%3D%3D',
      vscode:
        'vscode:mcp/install?%7B%22name%22%3A%22carrel%22%2C%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2Fcarrel.example.com%2Fmcp%22%7D',
      vscodeInsiders:
        'vscode-insiders:mcp/install?%7B%22name%22%3A%22carrel%22%2C%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2Fcarrel.example.com%2Fmcp%22%7D',
      goose:
        'goose://extension?type=streamable_http&url=https%3A%2F%2Fcarrel.example.com%2Fmcp&id=carrel&name=carrel&description=A%20private%20workspace%20that%20all%20of%20your%20assistants%20share',
      lmStudio: 'lmstudio://add_mcp?name=carrel&config=eyJ1cmwiOiJodHRwczovL2NhcnJlbC5leGFtcGxlLmNvbS9tY3AifQ%3D%3D',
    });
  });

  it.each(Object.keys(installLinks) as (keyof typeof installLinks)[])(
    'of %s give back any address and name, and hold nothing that ends an attribute',
    (client) => {
      const text = fc.string({ unit: 'grapheme', minLength: 1 });
      fc.assert(
        fc.property(text, text, (path, name) => {
          const url = `https://carrel.example.com/mcp?toolsets=${path}`;
          const { href } = installLinks[client](url, name);
          expect(href).not.toMatch(/[\s"<>`]/);
          expect(readers[client](new URL(href))).toMatchObject(client === 'claude' ? { url } : { url, name });
        }),
      );
    },
  );
});

describe('the lines that add this server to a client', () => {
  const texts = (node: unknown): string => String(node);

  it('are the same in the banner, on the start page and in the README', async () => {
    const readme = read('README.md');
    for (const { client, words } of clientLines(LOCAL, shellQuoted)) {
      expect(readme, client).toContain(words.join(' '));
      const guide = clientGuides(LOCAL).find(({ name }) => name === client);
      const page = (guide?.steps ?? []).map(texts).join('').replaceAll('&quot;', '"').replaceAll('&#39;', "'");
      // Cursor's file is shown over several lines there.
      expect(client === 'Cursor' ? page.replaceAll(/\s/g, '') : page, client).toContain(words.join(' '));
    }
    const here = process.platform === 'win32' ? [] : connectLines(LOCAL);
    expect(clientLines(LOCAL, shellQuoted).slice(0, here.length)).toEqual(here);
  });

  it('lead from the README to the local address', () => {
    const links = [...read('README.md').matchAll(/\]\((https:\/\/[^)]*install[^)]*)\)/g)].map(
      ([, href]) => new URL(href ?? ''),
    );
    expect(links.map(({ host }) => host)).toEqual(['cursor.com', 'vscode.dev', 'insiders.vscode.dev', 'lmstudio.ai']);
    for (const { host, searchParams } of links) {
      expect(searchParams.get('name')).toBe('carrel');
      const config = searchParams.get('config');
      const isPlain = host.endsWith('vscode.dev');
      expect(isPlain ? JSON.parse(config ?? '') : fromBase64(config)).toEqual(
        isPlain ? { type: 'http', url: LOCAL } : { url: LOCAL },
      );
    }
  });
});

describe('server.json', () => {
  /** What the registry's schema of 2025-12-11 asks of a server that is remote alone. */
  const variable = z.strictObject({
    description: z.string(),
    isRequired: z.literal(true),
    placeholder: z.string(),
  });
  const schema = z.strictObject({
    $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
    name: z
      .string()
      .min(3)
      .max(200)
      .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
    title: z.string().min(1).max(100),
    description: z.string().min(1).max(100),
    version: z.string().max(255),
    remotes: z.tuple([
      z.strictObject({
        type: z.literal('streamable-http'),
        url: z.string().regex(/^https?:\/\/[^\s]+$/),
        variables: z.record(z.string(), variable),
      }),
    ]),
  });
  const server = schema.parse(JSON.parse(read('server.json')));

  it('has the version of this release', () => {
    expect(server.version).toBe(VERSION);
    expect(JSON.parse(read('package.json'))).toMatchObject({ version: VERSION });
  });

  it('has an address that leads to the MCP endpoint of whoever fills it in', () => {
    const [{ url, variables }] = server.remotes;
    expect([...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)).toEqual(Object.keys(variables));
    const filled = url.replaceAll(/\{(\w+)\}/g, (_, name: string) => variables[name]?.placeholder ?? '');
    expect(new URL(filled).pathname).toBe('/mcp');
  });
});
