import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { APPROVALS_SCOPE } from '../../src/approvals/model.ts';
import { exampleAddress } from '../../src/http-docs/curl.ts';
import { describeRoutes } from '../../src/http-docs/describe.ts';
import type { DescribedEndpoint } from '../../src/http-docs/describe.ts';
import type { Example } from '../../src/http/operation.ts';
import { SAMPLE } from '../../src/http/samples.ts';
import { VERSION } from '../../src/version.ts';
import { heldUp, Keeper } from '../support/approvals.ts';
import { askForDevice, registerDevice } from '../support/devices.ts';
import { Owner } from '../support/files.ts';
import { rpc } from '../support/mcp.ts';
import { codeOf, connected, OAuthClient, ORIGIN, Person, send, tokens } from '../support/person.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';
import { TusUpload } from '../support/tus.ts';

const bindings = env as unknown as Bindings;
const routes = await createApp(bindings, TEST_TOOLSETS).routes();
const { endpoints } = await describeRoutes(routes);

type Json = Record<string, unknown>;
interface Answered {
  readonly headers?: Json;
  readonly content?: Record<string, { readonly schema?: Json; readonly examples?: Record<string, { value: unknown }> }>;
}
interface OpenApi {
  readonly info: { readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Record<string, Record<string, Json & { readonly responses: Record<string, Answered> }>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes: { readonly oauth: Json } };
}

let document: OpenApi;
beforeAll(async () => {
  document = await (await send('/openapi.json')).json<OpenApi>();
});

/** A schema of the document as a check. It refers to the others as JSON Schema does: from beneath itself. */
function validator(schema: object): z.ZodType {
  const whole = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/')) as Json);
}

/** What answers only to point elsewhere, and the two that people open beside their own pages: no API. */
const NOT_DESCRIBED = ['GET /mcp', 'DELETE /mcp', 'GET /.well-known/*', 'GET /docs', 'POST /authorize'];

/** Pages with their forms and scripts, and the operator's commands. */
const FOR_PEOPLE =
  /^(?:GET|POST) \/(?:$|sign-in|sign-out$|claim$|invite\/|account|approvals\/rules$|admin\/|operator$|device$|device\/|drop\/|s\/|assets\/)/;

describe('the description', () => {
  it('has every route that is not for people', () => {
    const plain = routes.flatMap(({ path, methods }) =>
      Object.entries(methods).flatMap(([method, handler]) =>
        typeof handler === 'function' ? [`${method} ${path}`] : [],
      ),
    );
    expect(plain.filter((route) => !FOR_PEOPLE.test(route))).toEqual(NOT_DESCRIBED);
    const named = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(named.toSorted()).toEqual(endpoints.map(({ method, path }) => `${method} ${path}`).toSorted());
    expect(new Set(endpoints.map(({ operation }) => operation.id)).size).toBe(endpoints.length);
  });

  it('has every example, and at least one of each operation', () => {
    for (const { method, path, operation } of endpoints) {
      const shown = document.paths[path]?.[method.toLowerCase()];
      const text = JSON.stringify(shown);
      const all = Object.values(operation.examples);
      expect(all.length, operation.id).toBeGreaterThan(0);
      const values = all
        .flatMap(({ request, answer }) => [request.json, request.form, request.file?.text, answer.json, answer.text])
        .filter((value) => value !== undefined)
        .map((value) => JSON.stringify(value).replaceAll(SAMPLE.origin, ORIGIN));
      expect(values.filter((value) => !text.includes(value))).toEqual([]);
      const statuses = all.map(({ answer }) => String(answer.status));
      expect(Object.keys(shown?.responses ?? {})).toEqual(expect.arrayContaining(statuses));
    }
  });

  it('has examples that fit the schemas beside which they stand', () => {
    const faults: string[] = [];
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, { responses }] of Object.entries(methods))
        for (const [status, { content = {} }] of Object.entries(responses))
          for (const [mediaType, { schema, examples: shown = {} }] of Object.entries(content))
            for (const [name, { value }] of Object.entries(shown)) {
              const fault = schema && validator(schema).safeParse(value).error;
              if (fault) faults.push(`${method} ${path} ${status} ${mediaType} ${name}: ${z.prettifyError(fault)}`);
            }
    expect(faults).toEqual([]);
  });

  it('names this deployment, its scopes and its version', async () => {
    expect(document.servers).toEqual([{ url: ORIGIN }]);
    expect(document.info.version).toBe(VERSION);
    expect(JSON.stringify(document)).not.toContain(SAMPLE.origin);
    const flow = (document.components.securitySchemes.oauth['flows'] as Json)['authorizationCode'] as Json;
    expect(flow['authorizationUrl']).toBe(`${ORIGIN}/authorize`);
    const metadata = await (await send('/.well-known/oauth-authorization-server')).json<Json>();
    expect(Object.keys(flow['scopes'] as Json)).toEqual(metadata['scopes_supported']);
    const { accessToken } = await connected();
    const info = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const { message } = await rpc(accessToken, 'initialize', info, { era: '2025' });
    expect(message.result?.['serverInfo']).toMatchObject({ version: VERSION });
  });

  it('is the same each time, and a page of any origin may read it', async () => {
    const other = await send('/openapi.json', { headers: { Origin: 'https://elsewhere.example' } });
    const again = await createApp(bindings, TEST_TOOLSETS).fetch(new Request(`${ORIGIN}/openapi.json`));
    expect((await again.text()) === (await other.text())).toBe(true);
    expect(other.headers.get('Access-Control-Allow-Origin')).toBe('https://elsewhere.example');
    expect(other.headers.get('Content-Type')).toBe('application/json');
  });

  it('leaves out a toolset that is off', async () => {
    const app = createApp({ ...bindings, TOOLSETS: 'sessions' } as Bindings);
    const text = await (await app.fetch(new Request(`${ORIGIN}/openapi.json`))).text();
    expect(text).toContain('"/mcp"');
    expect(text).not.toContain('/files');
    expect(await (await app.fetch(new Request(`${ORIGIN}/docs`))).text()).not.toContain('/files/{id}');
  });

  it('is a page too, which loads nothing but the stylesheet', async () => {
    const response = await send('/docs');
    const page = await response.text();
    expect(response.headers.get('Content-Type')).toMatch(/^text\/html/);
    for (const { operation } of endpoints) expect(page).toContain(`id="${operation.id}"`);
    expect(page).toContain(`${ORIGIN}/files?path=table.csv`);
    expect(page).not.toContain(SAMPLE.origin);
    expect(page).not.toMatch(/<script|<img|src=|@import|style=/);
  });
});

/** Somebody for whom all that the examples name is there. */
async function prepare(): Promise<{
  readonly owner: Owner;
  /** Of a personal token that answers approvals. */
  readonly answering: string;
  readonly real: Partial<Record<keyof typeof SAMPLE, string>>;
}> {
  const redirects = { redirect_uris: ['com.example.app:/callback'] };
  const person = new Person();
  const client = await OAuthClient.register(redirects);
  const pkce = { code_challenge: SAMPLE.challenge, scope: 'sessions:read sessions:write' };
  const spent = codeOf(await person.allow(client, pkce));
  const answer = await tokens(await client.redeem(spent, { code_verifier: SAMPLE.verifier }));
  const owner = await Owner.signIn(person.email);
  const bytes = 'a,b\n1,2\n';
  const file = await owner.write('table.csv', bytes);
  await owner.write('newer.csv', bytes);
  const { id, url } = await owner.upload('table.csv', bytes);
  const device = await registerDevice();
  const codes = await askForDevice(device);
  const { upload: inParts } = await owner.call<{ upload: { url: string } }>('file_upload', {
    path: 'large.csv',
    size: bytes.length,
    in_parts: true,
  });
  const byTus = await TusUpload.begin(owner, bytes.length, 'resumed.csv');
  await owner.call('recipe_save', {
    recipe: 'weekly-report',
    title: 'Weekly report',
    plan: {
      inputs: { properties: { topic: { type: 'string' } }, required: ['topic'] },
      steps: [
        { do: 'tool', id: 'note', tool: 'state_set', arguments: { key: 'topic', value: { $ref: 'inputs.topic' } } },
      ],
    },
  });
  const { job } = await owner.call<{ job: { id: string } }>('job_start', {
    definition: 'extract_text',
    input: { files: ['table.csv'] },
  });
  await owner.call('job_get', { job: job.id, wait: 50 });
  const page = await (await owner.fetch('/files?limit=1')).json<{ next_cursor: string }>();
  const last = (address: string) => new URL(address).pathname.split('/').at(-1) ?? '';
  const keeper = await Keeper.come(person.email);
  await keeper.rule({ tool: ['file_delete'] });
  const held = await heldUp(owner.accessToken, 'file_delete', { file: file.id });
  return {
    owner,
    answering: await keeper.token([APPROVALS_SCOPE]),
    real: {
      origin: ORIGIN,
      fileId: file.id,
      approvalId: held.approval,
      expectedFileId: id,
      jobId: job.id,
      uploadAddress: last(url),
      partsAddress: last(inParts.url),
      tusAddress: last(byTus.url),
      downloadAddress: last(await owner.link(file.id)),
      cursor: page.next_cursor,
      clientId: client.id,
      deviceClientId: device.id,
      deviceCode: codes.device_code,
      code: codeOf(await person.allow(client, pkce)),
      refreshToken: answer.refresh_token,
    },
  };
}

/** An example with what is there in the place of what stands for it. */
function realised(example: Example, real: Partial<Record<keyof typeof SAMPLE, string>>): Example {
  let text = JSON.stringify(example);
  for (const [name, value] of Object.entries(real)) text = text.replaceAll(SAMPLE[name as keyof typeof SAMPLE], value);
  return JSON.parse(text) as Example;
}

async function sendExample(endpoint: DescribedEndpoint, { request }: Example, token?: string): Promise<Response> {
  const { json, form, file, headers } = request;
  const all = new Headers(headers);
  if (token !== undefined) all.set('Authorization', `Bearer ${token}`);
  if (json !== undefined) all.set('Content-Type', 'application/json');
  if (file) all.set('Content-Length', String(file.text.length));
  const body = json === undefined ? (form ? new URLSearchParams(form) : file?.text) : JSON.stringify(json);
  return send(exampleAddress(endpoint.path, request), { method: endpoint.method, headers: all, body: body ?? null });
}

/** New with every answer. */
const VOLATILE = new Set([
  'request_id',
  'created_at',
  'updated_at',
  'started_at',
  'finished_at',
  'kept_until',
  // Each example is stored over what is there.
  'version',
  'expires_at',
  'url',
  'client_id',
  'client_id_issued_at',
  'access_token',
  'refresh_token',
  'device_code',
  'user_code',
  'verification_uri_complete',
  // Of approvals, whose arguments name what is new.
  'arguments_sha256',
  'hash',
  'grant_id',
]);

/** What of an example an answer does not have, a line each. */
function notShown(shown: unknown, actual: unknown, place: string): string[] {
  if (Array.isArray(shown))
    return shown.flatMap((each) => {
      const faults = Array.isArray(actual) ? actual.map((candidate) => notShown(each, candidate, `${place}[]`)) : [];
      return faults.some(({ length }) => length === 0) ? [] : (faults[0] ?? [`${place} has nothing`]);
    });
  if (typeof shown === 'object' && shown !== null)
    return Object.entries(shown).flatMap(([name, value]) =>
      notShown(value, (actual as Json | null | undefined)?.[name], `${place}.${name}`),
    );
  const name = place.split('.').at(-1) ?? '';
  const isNew = VOLATILE.has(name) || (name === 'id' && /^(?:fil|job)_/.test(String(shown)));
  const same = isNew ? typeof actual === typeof shown : actual === shown;
  return same ? [] : [`${place}: ${JSON.stringify(actual)} instead of ${JSON.stringify(shown)}`];
}

/** A stream of events as its last message; other text as it is. */
const withoutEvents = (body: unknown): unknown =>
  typeof body === 'string' && body.startsWith('event:') ? JSON.parse(body.split('data: ').at(-1) ?? '') : body;

/** The media type of an answer is documented, and the body is what its schema says. */
async function expectDocumented(endpoint: DescribedEndpoint, response: Response): Promise<unknown> {
  const responses = document.paths[endpoint.path]?.[endpoint.method.toLowerCase()]?.responses ?? {};
  const documented = responses[String(response.status)];
  if (!documented) throw new Error(`${response.status} of ${endpoint.operation.id} is not documented`);
  const type = response.headers.get('Content-Type')?.split(';')[0] ?? '';
  // Where an answer is bytes or JSON, its headers are those of the bytes.
  const isOtherForm = documented.content?.['*/*'] !== undefined && type === 'application/json';
  for (const name of isOtherForm ? [] : Object.keys(documented.headers ?? {}))
    expect(response.headers.has(name), name).toBe(true);
  // No example shows an archive, which is no text.
  const text = type === 'application/zip' ? '' : await response.text();
  if (text === '') return undefined;
  const content = documented.content?.[type] ?? documented.content?.['*/*'];
  if (!content) throw new Error(`${type} of ${endpoint.operation.id} is not documented`);
  const body: unknown = type.endsWith('json') ? JSON.parse(text) : text;
  const fault = content.schema && validator(content.schema).safeParse(body).error;
  expect(fault && z.prettifyError(fault)).toBeUndefined();
  return body;
}

const examples = endpoints.flatMap((endpoint) =>
  Object.entries(endpoint.operation.examples).map(
    ([name, example]) => [`${endpoint.operation.id}: ${name}`, endpoint, example] as const,
  ),
);

describe('every example', () => {
  it.each(examples)('%s', async (_name, endpoint, documented) => {
    // Signing somebody in takes a while, and some examples are about nobody.
    const needsSomebody = endpoint.scopes ?? Object.keys(documented.request).length > 0;
    const { owner, answering, real } = needsSomebody
      ? await prepare()
      : { owner: undefined, answering: '', real: { origin: ORIGIN } };
    const example = realised(documented, real);
    const token = endpoint.scopes?.includes(APPROVALS_SCOPE) === true ? answering : owner?.accessToken;
    const response = await sendExample(endpoint, example, endpoint.scopes && token);
    const { status, json, text } = example.answer;
    const body = await expectDocumented(endpoint, response);
    expect([response.status, body]).toEqual([status, body]);
    const shown = withoutEvents(json ?? text);
    expect(shown === undefined ? body : notShown(shown, withoutEvents(body), 'answer')).toEqual(
      shown === undefined ? undefined : [],
    );
  });

  it('whose request is followed fits the schemas that it is documented with', () => {
    const faults: string[] = [];
    for (const [name, endpoint, { request, answer }] of examples) {
      if (answer.status >= 400) continue;
      for (const { mediaType, schema } of endpoint.body) {
        const sent = mediaType === 'application/json' ? request.json : request.form;
        const fault = sent === undefined || !schema ? undefined : validator(schema).safeParse(sent).error;
        if (fault) faults.push(`${name}: ${z.prettifyError(fault)}`);
      }
      const sent = { path: request.params ?? {}, query: request.query ?? {}, header: request.headers ?? {} };
      for (const { name: parameter, in: place, required } of endpoint.parameters)
        if (required && !(parameter in sent[place])) faults.push(`${name} lacks ${parameter}`);
      const known = new Set(endpoint.parameters.map((parameter) => parameter.name));
      for (const parameter of Object.keys({ ...sent.path, ...sent.query }))
        if (!known.has(parameter)) faults.push(`${name}: ${parameter} is not documented`);
    }
    expect(faults).toEqual([]);
  });
});

describe('an operation', () => {
  const protectedOnes = endpoints.flatMap((endpoint) => {
    const [example] = Object.values(endpoint.operation.examples);
    return endpoint.scopes && example ? [[endpoint.operation.id, endpoint, example] as const] : [];
  });

  it.each(protectedOnes)('%s refuses a request without a token as documented', async (_id, endpoint, example) => {
    const response = await sendExample(endpoint, example);
    expect(response.status).toBe(401);
    expect(await expectDocumented(endpoint, response)).toBeUndefined();
  });

  const withScope = protectedOnes.filter(([, { scopes }]) => scopes?.length === 1);

  it.each(withScope)('%s refuses a token without its scope as documented', async (_id, endpoint, example) => {
    const other = endpoint.scopes?.includes('files:read') === true ? 'files:write' : 'files:read';
    const { accessToken } = await Owner.signIn('other@example.com', other);
    const response = await sendExample(endpoint, example, accessToken);
    expect(response.status).toBe(403);
    expect(await expectDocumented(endpoint, response)).toEqual({ error: 'insufficient_scope' });
  });
});
