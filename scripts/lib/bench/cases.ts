import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import { toBase32 } from '../../../src/lib/ids.ts';
import {
  FEW_FILES,
  FEW_JOBS,
  FEW_KEYS,
  filePath,
  keyOf,
  MANY_FILES,
  MANY_JOBS,
  MANY_KEYS,
  SESSION,
  SESSIONS,
  VALUE,
} from './carrel.ts';
import type { Tokens } from './carrel.ts';
import type { Load, LoadRequest } from './load.ts';

export type ServerName = 'echo' | 'fastmcp' | 'carrel';
type Era = '2026-07-28' | '2025-11-25';

export interface Case {
  /** For `--case`, and the name of the profile's file. */
  readonly name: string;
  /** At the head of its line in the table. */
  readonly title: string;
  readonly server: ServerName;
  readonly load: (url: string) => Load;
}

export interface CaseOptions {
  readonly tokens: Tokens;
  /** The static bearer of fastmcp. */
  readonly bearer: string;
  /** How many tools each server has. */
  readonly tools: number;
}

/** Distinct requests of a case: ten for each connection. */
const REQUESTS = 100;
const TEXT = 'Is anybody there?';

interface Message {
  readonly result?: {
    readonly isError?: boolean;
    readonly content?: readonly { readonly text?: string }[];
    readonly structuredContent?: Readonly<Record<string, unknown>>;
    readonly tools?: readonly unknown[];
  };
  readonly error?: unknown;
}

/** A message to /mcp as a client of that revision sends it. */
function message(
  era: Era,
  token: string | undefined,
  method: string,
  params: { readonly name?: string; readonly arguments?: unknown } = {},
): LoadRequest {
  const modern = era === '2026-07-28';
  const meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return {
    method: 'POST',
    path: '/mcp',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': era,
      ...(modern && { 'Mcp-Method': method }),
      ...(modern && params.name !== undefined && { 'Mcp-Name': params.name }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, ...(modern && { _meta: meta }) } }),
  };
}

const called = (era: Era, token: string | undefined, name: string, input: unknown): LoadRequest =>
  message(era, token, 'tools/call', { name, arguments: input });

/** What is wrong with a JSON-RPC answer: an error of any kind, or a result that `right` does not take. */
function faultOf(body: string, right: (result: NonNullable<Message['result']>) => boolean): string | undefined {
  const json = body.startsWith('{') ? body : (/^data: (.*)$/m.exec(body)?.[1] ?? '');
  let parsed: Message;
  try {
    parsed = JSON.parse(json) as Message;
  } catch {
    return `no JSON: ${body.slice(0, 200)}`;
  }
  const { result } = parsed;
  return result && result.isError !== true && right(result) ? undefined : json.slice(0, 400);
}

const some = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));

function answered(
  url: string,
  requests: readonly LoadRequest[],
  right: (result: NonNullable<Message['result']>) => boolean,
): Load {
  return { url, requests, status: 200, fault: (body) => faultOf(body, right) };
}

/** An echo, the same of all peers. */
function echo(era: Era, token: string | undefined): Case['load'] {
  const requests = some(REQUESTS, () => called(era, token, 'echo', { text: TEXT }));
  return (url) => answered(url, requests, ({ content }) => content?.[0]?.text === TEXT);
}

/** Reads keys that lie far from each other. */
function stateGet(era: Era, token: string, keys: number): Case['load'] {
  const requests = some(REQUESTS, (index) =>
    called(era, token, 'state_get', { session: SESSION, key: keyOf((index * 7919) % keys) }),
  );
  return (url) =>
    answered(url, requests, ({ structuredContent }) => isDeepStrictEqual(structuredContent?.['value'], VALUE));
}

/** A mix of words, rare and common, alone and together. */
function queryOf(index: number): string {
  return [`alone${index}`, 'everywhere', `word${index % 10}`, `everywhere word${index % 1000}`][index % 4] ?? '';
}

/** The same of a small workspace and a large one, side by side. */
function fileCases({ few, many }: Tokens): Case[] {
  const kinds: readonly (readonly [string, string, (index: number) => readonly [string, unknown]])[] = [
    ['file-list', 'file_list', () => ['file_list', {}]],
    ['file-search', 'file_search', (index) => ['file_search', { query: queryOf(index) }]],
    ['file-read', 'file_read', (index) => ['file_read', { file: filePath(index), part: 1 }]],
  ];
  const sizes = [
    [few, FEW_FILES, ''],
    [many, MANY_FILES, '-many'],
  ] as const;
  return kinds.flatMap(([name, title, make]) =>
    sizes.map(([token, files, suffix]) => ({
      name: `${name}${suffix}`,
      title: `${title}, ${files.toLocaleString('en')} files`,
      server: 'carrel' as const,
      load: (url: string) =>
        answered(
          url,
          some(REQUESTS, (index) => called('2026-07-28', token, ...make(index))),
          ({ structuredContent }) =>
            typeof structuredContent?.['text'] === 'string' ||
            ((structuredContent?.['files'] ?? []) as unknown[]).length > 0,
        ),
    })),
  );
}

/** A page of jobs of a small workspace and of a large one. */
function jobCases({ few, many }: Tokens): Case[] {
  const sizes = [
    [few, FEW_JOBS, ''],
    [many, MANY_JOBS, '-many'],
  ] as const;
  return sizes.map(([token, jobs, suffix]) => ({
    name: `job-list${suffix}`,
    title: `job_list, ${jobs.toLocaleString('en')} finished jobs`,
    server: 'carrel',
    load: (url) =>
      answered(
        url,
        some(REQUESTS, () => called('2026-07-28', token, 'job_list', {})),
        ({ structuredContent }) => ((structuredContent?.['jobs'] ?? []) as unknown[]).length === FEW_JOBS,
      ),
  }));
}

function refused(tokens: (index: number) => string): Case['load'] {
  const requests = some(REQUESTS, (index) =>
    called('2026-07-28', tokens(index), 'state_get', { session: SESSION, key: keyOf(0) }),
  );
  return (url) => ({ url, requests, status: 401, fault: () => undefined });
}

/** Of the form of a token, for a person that there is not, with a mark that no key of ours made. */
function inventedToken(): string {
  const letters = (count: number) => toBase32(randomBytes(count)).slice(0, count);
  return `per_${letters(20)}.${letters(16)}:${letters(16)}:${letters(32)}`;
}

/** All cases, in the order of the table. What is compared stands side by side: the machine is never quite the same. */
export function makeCases({ tokens, bearer, tools }: CaseOptions): Case[] {
  const { few, many, writer, revoked } = tokens;
  return [
    {
      name: 'healthz',
      title: 'GET /healthz',
      server: 'carrel',
      load: (url) => ({
        url,
        requests: some(REQUESTS, () => ({ method: 'GET', path: '/healthz', headers: {} })),
        status: 200,
        fault: (body) => (body === '{"status":"ok"}' ? undefined : body.slice(0, 200)),
      }),
    },
    {
      name: 'fastmcp',
      title: 'Echo of fastmcp on Node, 2025',
      server: 'fastmcp',
      load: echo('2025-11-25', bearer),
    },
    {
      name: 'sdk-echo-2025',
      title: "The SDK's own echo, 2025",
      server: 'echo',
      load: echo('2025-11-25', undefined),
    },
    {
      name: 'state-get-2025',
      title: `state_get, ${FEW_KEYS} keys, 2025`,
      server: 'carrel',
      load: stateGet('2025-11-25', few, FEW_KEYS),
    },
    {
      name: 'sdk-echo',
      title: "The SDK's own echo",
      server: 'echo',
      load: echo('2026-07-28', undefined),
    },
    {
      name: 'state-get',
      title: `state_get, ${FEW_KEYS} keys`,
      server: 'carrel',
      load: stateGet('2026-07-28', few, FEW_KEYS),
    },
    {
      name: 'state-get-many',
      title: `state_get, ${MANY_KEYS.toLocaleString('en')} keys`,
      server: 'carrel',
      load: stateGet('2026-07-28', many, MANY_KEYS),
    },
    {
      name: 'state-set',
      title: `state_set, ${FEW_KEYS} keys`,
      server: 'carrel',
      load: (url) =>
        answered(
          url,
          some(REQUESTS, (index) =>
            called('2026-07-28', writer, 'state_set', { session: SESSION, key: keyOf(index % FEW_KEYS), value: VALUE }),
          ),
          ({ structuredContent }) => Number(structuredContent?.['version']) > 1,
        ),
    },
    {
      name: 'session-list',
      title: `session_list, ${SESSIONS} sessions`,
      server: 'carrel',
      load: (url) =>
        answered(
          url,
          some(REQUESTS, () => called('2026-07-28', few, 'session_list', {})),
          ({ structuredContent }) =>
            Array.isArray(structuredContent?.['sessions']) && structuredContent['sessions'].length === SESSIONS,
        ),
    },
    ...fileCases(tokens),
    ...jobCases(tokens),
    {
      name: 'tools-list',
      title: `tools/list, ${tools} tools`,
      server: 'carrel',
      load: (url) =>
        answered(
          url,
          some(REQUESTS, () => message('2026-07-28', few, 'tools/list')),
          (result) => result.tools?.length === tools,
        ),
    },
    {
      name: 'token-invented',
      title: 'Refused: a token nobody issued',
      server: 'carrel',
      load: refused(inventedToken),
    },
    {
      name: 'token-revoked',
      title: 'Refused: the grant was ended',
      server: 'carrel',
      load: refused(() => revoked),
    },
  ];
}

/** The names of all cases, before there is anything that they could be sent to. */
export function caseNames(): string[] {
  const tokens = { few: '', many: '', writer: '', revoked: '' };
  return makeCases({ tokens, bearer: '', tools: 0 }).map(({ name }) => name);
}

/** What the verdicts and the ratios are made of. */
export const BASELINE = 'sdk-echo';
export const FEW = 'state-get';
export const MANY = 'state-get-many';
