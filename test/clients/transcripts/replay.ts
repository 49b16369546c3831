import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';

import { expect } from 'vitest';

import { approve } from '../../../scripts/client/browser.ts';
import type { Browser } from '../../../scripts/client/browser.ts';
import type { Answer, Exchange, Step, Visit } from './transcript.ts';

type Values = Map<string, string>;

/** The values that a transcript starts with. */
export function startingValues(origin: string): Values {
  const verifier = crypto.randomUUID() + crypto.randomUUID();
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const state = crypto.randomUUID();
  return new Map(Object.entries({ origin, mcp: `${origin}/mcp`, verifier, challenge, state }));
}

/** Plays one step; what it keeps is added to `values`. */
export async function play(step: Step, values: Values, browser: Browser, email: string): Promise<void> {
  if ('visit' in step) return visit(step, values, browser, email);
  const answers = await Promise.all(Array.from({ length: step.atOnce ?? 1 }, async () => send(step, values)));
  for (const answer of answers) {
    check(answer, fill(step.answer, values));
    expect(answer.text).toBe(answers[0]?.text);
  }
  for (const [name, from] of Object.entries(step.keep ?? {})) values.set(name, pick(answers[0]!, from));
}

async function visit({ visit: path, query, lands }: Visit, values: Values, browser: Browser, email: string) {
  const link = new URL(path, values.get('origin'));
  link.search = new URLSearchParams(fill(query, values)).toString();
  const { href, searchParams } = await approve(browser, link, email);
  expect(href.split('?')[0]).toBe(fill(lands, values));
  expect(searchParams.get('state')).toBe(values.get('state'));
  expect(searchParams.get('iss')).toBe(values.get('origin'));
  values.set('code', searchParams.get('code') ?? '');
}

interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Over `node:http`: fetch follows redirects, and adds headers that some clients do not send. */
async function send(exchange: Exchange, values: Values): Promise<Received> {
  const { request, headers = {}, query, form, json } = fill(exchange, values);
  const [method = '', address = ''] = request.split(' ');
  const url = new URL(address, values.get('origin'));
  if (query) url.search = new URLSearchParams(query).toString();
  const body = form ? new URLSearchParams(form).toString() : json === undefined ? '' : JSON.stringify(json);
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
  const all = {
    ...(body === '' ? {} : { 'Content-Type': type, 'Content-Length': new TextEncoder().encode(body).byteLength }),
    ...headers,
  };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url.href, { method, headers: sent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function check(received: Received, expected: Answer): void {
  expect(received.status, received.text).toBe(expected.status);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const there = received.headers[name];
    if (value === null) expect(there, name).toBeUndefined();
    else if (typeof value === 'string') expect(there, name).toBe(value);
    else expect(there, name).toMatch(value);
  }
  if (expected.json !== undefined) expect(message(received)).toEqual(holding(expected.json));
  if (expected.text) expect(received.text).toMatch(expected.text);
}

/** The JSON of an answer, be it the body or the only event of a stream. */
function message({ headers, text }: Received): unknown {
  const streams = String(headers['content-type']).startsWith('text/event-stream');
  return JSON.parse(streams ? (/^data: (.*)$/m.exec(text)?.[1] ?? 'null') : text) as unknown;
}

/** What an object holds at least and a list holds among others; patterns match texts. */
function holding(expected: unknown): unknown {
  if (expected instanceof RegExp) return expect.stringMatching(expected);
  if (Array.isArray(expected)) return expect.arrayContaining(expected.map(holding));
  if (typeof expected !== 'object' || expected === null) return expected;
  return expect.objectContaining(
    Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, holding(value)])),
  );
}

function pick(received: Received, from: string): string {
  const value = from.startsWith('header:')
    ? received.headers[from.slice('header:'.length)]
    : from.split('.').reduce<unknown>((inside, key) => (inside as Record<string, unknown>)[key], message(received));
  if (typeof value !== 'string') throw new Error(`the answer has no ${from}: ${received.text}`);
  return value;
}

/** Puts the values in the place of their names, in every text. */
function fill<Part>(part: Part, values: Values): Part {
  const put = (text: string, escape = (value: string) => value) =>
    text.replaceAll(/{([a-z]\w*)}/g, (_, name: string) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`no step before has kept {${name}}`);
      return escape(value);
    });
  const walk = (inside: unknown): unknown => {
    if (typeof inside === 'string') return put(inside);
    if (inside instanceof RegExp) return new RegExp(put(inside.source, escapePattern), inside.flags);
    if (Array.isArray(inside)) return inside.map(walk);
    if (typeof inside !== 'object' || inside === null) return inside;
    return Object.fromEntries(Object.entries(inside).map(([key, value]) => [key, walk(value)]));
  };
  return walk(part) as Part;
}

const escapePattern = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
