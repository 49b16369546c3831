import type { Example } from '../http/operation.ts';
import { problemDocument } from '../http/problem-schema.ts';
import { SAMPLE } from '../http/samples.ts';
import { VERSION } from '../version.ts';
import type { Scope } from '../oauth/scopes.ts';
import type { ApiDescription, Content, DescribedAnswer, DescribedEndpoint, Parameter } from './describe.ts';

const ABOUT =
  'A private workspace for each person: sessions with their state, and files. Assistants reach it over MCP; this is all of its HTTP, for scripts and for whoever connects a client of their own.';

/** For what a group is, beneath its name. */
export const GROUP_DESCRIPTIONS: Readonly<Record<string, string>> = {
  Files: 'Bytes in and out, without a model in between.',
  Approvals: 'What a person wants to be asked about, answered by a script of theirs.',
  MCP: 'The tools, for assistants.',
  Connecting: 'OAuth 2.1: how a client gets an access token for a person’s workspace.',
  Discovery: 'Where clients find out how to connect.',
  Health: 'For whoever runs this.',
  'These documents': 'This description itself.',
};

/**
 * The description as an OpenAPI 3.1 document, in an order that changes only with the routes. Its
 * schemas are JSON Schema as it is, draft 2020-12, which is the dialect of OpenAPI 3.1.
 */
export function openApiDocument({ endpoints, schemas }: ApiDescription, scopes: readonly Scope[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints)
    (paths[endpoint.path] ??= {})[endpoint.method.toLowerCase()] = operationObject(endpoint, scopes);
  const groups = new Set(endpoints.map(({ operation }) => operation.group));
  return {
    openapi: '3.1.1',
    info: {
      title: 'Carrel',
      version: VERSION,
      description: ABOUT,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: SAMPLE.origin }],
    tags: [...groups].map((name) => ({ name, description: GROUP_DESCRIPTIONS[name] })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        oauth: {
          type: 'oauth2',
          description: 'A client registers at `/register` and sends a person to `/authorize`, with PKCE.',
          flows: {
            authorizationCode: {
              authorizationUrl: `${SAMPLE.origin}/authorize`,
              tokenUrl: `${SAMPLE.origin}/token`,
              refreshUrl: `${SAMPLE.origin}/token`,
              scopes: Object.fromEntries(scopes.map(({ name, sentence }) => [name, sentence])),
            },
          },
        },
        bearer: { type: 'http', scheme: 'bearer', description: 'An access token that a client holds already.' },
      },
    },
  };
}

function operationObject(
  { operation, scopes, parameters, body, answers }: DescribedEndpoint,
  granted: readonly Scope[],
): object {
  const examples = Object.entries(operation.examples);
  // What no client is given, OAuth leads to nowhere.
  const isGranted = scopes?.every((scope) => granted.some(({ name }) => name === scope)) === true;
  return {
    operationId: operation.id,
    tags: [operation.group],
    summary: operation.summary,
    description: operation.description,
    security: scopes ? [...(isGranted ? [{ oauth: scopes }] : []), { bearer: scopes }] : [],
    ...(parameters.length === 0 ? {} : { parameters: parameters.map((each) => parameterObject(each, examples)) }),
    ...(body.length === 0 ? {} : { requestBody: { required: true, content: bodyContent(body, examples) } }),
    responses: Object.fromEntries(
      answers.map((answer) => [String(answer.status ?? 'default'), responseObject(answer, examples)]),
    ),
  };
}

type Examples = readonly (readonly [name: string, example: Example])[];

/** Examples by name, of those of which `pick` finds something. */
function examplesObject(examples: Examples, pick: (example: Example) => unknown): object {
  const found = examples.flatMap(([name, example]) => {
    const value = pick(example);
    return value === undefined ? [] : [[name, { summary: example.summary, value }]];
  });
  return found.length === 0 ? {} : { examples: Object.fromEntries(found) as object };
}

function parameterObject({ name, in: place, description, required, schema }: Parameter, examples: Examples): object {
  const sent = ({ request }: Example) =>
    ({ path: request.params, query: request.query, header: request.headers })[place]?.[name];
  return { name, in: place, description, required, schema, ...examplesObject(examples, sent) };
}

function bodyContent(body: readonly Content[], examples: Examples): object {
  const sent = (mediaType: string, { request }: Example): unknown => {
    if (mediaType === 'application/json') return request.json;
    return mediaType === 'application/x-www-form-urlencoded' ? request.form : request.file?.text;
  };
  return contentObject(body, (mediaType) => examplesObject(examples, (example) => sent(mediaType, example)));
}

function responseObject({ status, description, content, headers }: DescribedAnswer, examples: Examples): object {
  const given = (mediaType: string, { answer }: Example) => {
    if (answer.status !== status) return undefined;
    if (!mediaType.endsWith('json')) return answer.text;
    const isProblem = problemDocument.safeParse(answer.json).success;
    return (mediaType === 'application/problem+json') === isProblem ? answer.json : undefined;
  };
  const named = Object.entries(headers).map(([name, meaning]) => [
    name,
    { description: meaning, schema: { type: 'string' } },
  ]);
  return {
    description,
    ...(named.length === 0 ? {} : { headers: Object.fromEntries(named) as object }),
    ...(content.length === 0
      ? {}
      : {
          content: contentObject(content, (mediaType) =>
            examplesObject(examples, (example) => given(mediaType, example)),
          ),
        }),
  };
}

function contentObject(content: readonly Content[], examplesOf: (mediaType: string) => object): object {
  return Object.fromEntries(
    content.map(({ mediaType, schema }) => [mediaType, { ...(schema && { schema }), ...examplesOf(mediaType) }]),
  );
}
