import type * as z from 'zod';

import { invalidArguments } from '../lib/invalid-arguments.ts';
import { parseJson } from '../lib/json.ts';
import { withBoundedBody } from './body.ts';
import type { BodySchema, InputSchemas } from './operation.ts';
import type { Endpoint, HttpContext } from './route.ts';

type Checked<Schema> = Schema extends z.ZodObject ? z.output<Schema> : undefined;

/** One way to call an endpoint: the schemas that check the request, and who answers it. */
interface Way<Context, Params, Query, Json> {
  readonly params?: Params;
  readonly query?: Query;
  readonly json?: Json;
  /** Other bodies by media type, for the description: the handler reads them itself. */
  readonly body?: Readonly<Record<string, BodySchema>>;
  readonly handle: (
    context: Context,
    input: { readonly params: Checked<Params>; readonly query: Checked<Query>; readonly json: Checked<Json> },
  ) => Response | Promise<Response>;
}

/** A way with its schemas built in: it checks, then answers. */
export interface CheckedWay<Context extends HttpContext> {
  readonly input: InputSchemas;
  readonly handle: Endpoint<Context>['handle'];
}

/** A way to call an endpoint. Its handler gets what was checked, and nothing that was not. */
export function way<
  Context extends HttpContext,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Json extends z.ZodObject | undefined = undefined,
>({ params, query, json, body, handle }: Way<Context, Params, Query, Json>): CheckedWay<Context> {
  return {
    input: { params, query, body: json ? { ...body, 'application/json': json } : body },
    handle: async (context) =>
      handle(context, {
        params: checked(params, context.params),
        query: checked(query, Object.fromEntries(context.url.searchParams)),
        json: json && checked(json, await jsonBody(context.request)),
      } as Parameters<typeof handle>[1]),
  };
}

/** An endpoint with one way to call it. */
export function endpoint<Context extends HttpContext>(
  describe: Endpoint['describe'],
  { input, handle }: CheckedWay<Context>,
): Endpoint<Context> {
  return { describe, inputs: [input], handle };
}

/** An endpoint with several ways to call it: `choose` says which of them a request goes. */
export function endpointOf<Context extends HttpContext>(
  describe: Endpoint['describe'],
  choose: (context: Context) => CheckedWay<Context>,
  ways: readonly CheckedWay<Context>[],
): Endpoint<Context> {
  return {
    describe,
    inputs: ways.map(({ input }) => input),
    handle: (context) => choose(context).handle(context),
  };
}

/** @throws CarrelError `invalid_input` */
function checked(schema: z.ZodObject | undefined, value: unknown): Record<string, unknown> | undefined {
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  if (!result.success) throw invalidArguments(result.error, value, Object.keys(schema.shape));
  return result.data;
}

/** Of a route that streams its bodies, too. @throws CarrelError `too_large` */
async function jsonBody(request: Request): Promise<unknown> {
  return parseJson(await (await withBoundedBody(request)).text());
}
