import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { connectLines, renderConnectLines } from '../../scripts/lib/connect.ts';
import { readableEvent } from '../../scripts/lib/events.ts';
import { wrap } from '../../scripts/lib/terminal.ts';

describe('the events of the Worker', () => {
  const line = (event: object) => readableEvent(JSON.stringify(event));

  it('are a short line each', () => {
    expect(line({ type: 'tool_called', tool: 'session_list', outcome: 'not_found', milliseconds: 2 })).toBe(
      'session_list not_found 2 ms',
    );
    expect(line({ type: 'signed_in', personId: 'per_1', provider: 'dev' })).toBe('signed_in per_1 dev');
    expect(line({ type: 'grant_made', clientId: 'c1', scopes: ['files:read', 'files:write'] })).toBe(
      'grant_made c1 files:read files:write',
    );
    expect(line({ type: 'oauth_refused', code: 'invalid_grant', status: 400, reason: 'the\u001B[2J code' })).toBe(
      'oauth_refused invalid_grant the[2J code',
    );
  });

  it('hold an error in full', () => {
    const cause = { name: 'TypeError', message: 'deeper' };
    const error = {
      name: 'CarrelError',
      message: 'sad',
      code: 'internal',
      stack: 'CarrelError: sad\n    at a.ts:1',
      cause,
    };
    expect(line({ type: 'request_failed', path: '/mcp', requestId: 'r', error })).toBe(
      'request_failed /mcp r\n  CarrelError: sad (internal)\n      at a.ts:1\n  because TypeError: deeper',
    );
  });

  it('leave other lines alone', () => {
    for (const other of ['hello', '{"type":"something_else"}', '{"type":"tool_called"', '{"type":"request_failed"}'])
      expect(readableEvent(other)).toBeUndefined();
  });
});

describe('the lines for clients', () => {
  it('are what each client documents', () => {
    const lines = Object.fromEntries(
      connectLines('https://carrel.example.com/mcp').map(({ client, words }) => [client, words.join(' ')]),
    );
    expect(lines).toEqual({
      'Claude Code': 'claude mcp add --transport http carrel https://carrel.example.com/mcp',
      Cursor: '{"mcpServers":{"carrel":{"url":"https://carrel.example.com/mcp"}}}',
      'VS Code': `code --add-mcp '{"name":"carrel","type":"http","url":"https://carrel.example.com/mcp"}'`,
      Codex: 'codex mcp add carrel --url https://carrel.example.com/mcp',
      'MCP Inspector':
        'npx @modelcontextprotocol/inspector --transport http --server-url https://carrel.example.com/mcp',
    });
  });

  it('stay one command for a shell when they are broken', () => {
    const printed = stripVTControlCharacters(renderConnectLines('https://carrel.a-rather-long-name.example.com/mcp'));
    expect(printed.replaceAll(/ \\\n +/g, ' ')).toContain(
      'inspector --transport http --server-url https://carrel.a-rather-long-name',
    );
  });
});

describe('a paragraph', () => {
  it('keeps each command whole', () => {
    expect(wrap('Read this, then run npm run deploy -- --url https://a.example.com, or npm ci.', 30)).toEqual([
      'Read this, then run',
      'npm run deploy -- --url https://a.example.com,',
      'or npm ci.',
    ]);
  });
});
