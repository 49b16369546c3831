import * as z from 'zod';

import { withBoundedBody } from '../http/body.ts';
import type { AuthorisedContext, HttpContext, ProtectedRoute, Route } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { invalidArguments } from '../mcp/tool-errors.ts';
import { sessionReference } from '../sessions/model.ts';
import { downloadResponse } from './download.ts';
import { fileName, fileSize, MAX_PAGE, mediaType, sha256 } from './model.ts';
import type { FileEntry } from './model.ts';
import type { FileService, IncomingBytes } from './service.ts';
import { showFile, showWithSession } from './shown.ts';

const declaration = z.strictObject({
  name: fileName,
  size: fileSize,
  sha256: sha256.optional(),
  type: mediaType.optional(),
  session: sessionReference.optional(),
});

const creation = declaration.omit({ size: true, type: true });

const listing = z.strictObject({
  session: sessionReference.optional(),
  all_sessions: z.stringbool().default(false),
  limit: z.coerce.number().pipe(z.int().min(1).max(MAX_PAGE)).default(50),
  cursor: z.string().max(2000).optional(),
});

/**
 * Files over HTTP. `open`: addresses that need no other credential. `protected`, with an access
 * token:
 *
 * - `POST /files?name=…[&session=…][&sha256=…]`: the body is the file, with Content-Length.
 * - `POST /files` with `Content-Type: application/json` and no `name` in the query: the body declares
 *   the file, `{name, size, sha256?, type?, session?}`, and the answer has an upload address for it.
 * - `GET /files[?session=…][&all_sessions=true][&limit=…][&cursor=…]`: the index, newest first.
 * - `GET /files/:id`: the bytes; with `Accept: application/json` and no other type, the index entry.
 */
export function fileRoutes(service: FileService): { open: Route[]; protected: ProtectedRoute[] } {
  const create = async ({ request, url, origin, principal, workspace }: AuthorisedContext) => {
    if (isJson(request.headers.get('Content-Type')) && !url.searchParams.has('name')) {
      const body = await (await withBoundedBody(request)).text();
      const { name, size, ...rest } = parsed(declaration, parseJson(body));
      const { file, path, expiresAt } = await service.expect(workspace, principal, {
        name,
        size,
        sha256: rest.sha256,
        type: rest.type,
        session: rest.session,
      });
      return answer({
        session: file.session,
        file: { id: file.id, name, size },
        upload: { method: 'PUT', url: `${origin}${path}`, expires_at: new Date(expiresAt).toISOString() },
      });
    }
    const input = parsed(creation, Object.fromEntries(url.searchParams));
    const { body, length } = incoming(request);
    if (length === undefined)
      throw new CarrelError('invalid_input', 'Send Content-Length, or declare the file first: POST /files with JSON.');
    const type = mediaType.safeParse(request.headers.get('Content-Type')).data;
    const { name, session } = input;
    return created(
      await service.create(workspace, principal, { name, session, sha256: input.sha256, type }, { body, length }),
    );
  };

  const list = async ({ url, workspace }: AuthorisedContext) => {
    const input = parsed(listing, Object.fromEntries(url.searchParams));
    const page = await service.list(workspace, {
      session: input.session,
      allSessions: input.all_sessions,
      limit: input.limit,
      cursor: input.cursor,
    });
    return answer({
      session: page.session,
      files: page.files.map((entry) => ({ ...showFile(entry), session: entry.session })),
      next_cursor: page.nextCursor,
    });
  };

  const fetchOne = async ({ request, params, workspace }: AuthorisedContext) => {
    const file = await service.find(workspace, params['id'] ?? '');
    return isJson(request.headers.get('Accept'))
      ? answer(showWithSession(file))
      : downloadResponse(request, file, (range) => service.bytes(file, range));
  };

  const receive = async ({ request, params }: HttpContext) =>
    created(await service.receive(params['address'] ?? '', incoming(request)));

  const download = async ({ request, params }: HttpContext) => {
    const file = await service.findByAddress(params['address'] ?? '');
    return downloadResponse(request, file, (range) => service.bytes(file, range));
  };

  return {
    open: [
      { path: '/upload/:address', methods: { PUT: receive }, body: 'stream', crossOrigin: 'any' },
      { path: '/download/:address', methods: { GET: download }, crossOrigin: 'any' },
    ],
    protected: [
      {
        path: '/files',
        methods: { GET: { scope: 'files:read', handle: list }, POST: { scope: 'files:write', handle: create } },
        body: 'stream',
      },
      { path: '/files/:id', methods: { GET: { scope: 'files:read', handle: fetchOne } } },
    ],
  };
}

/** Whether a Content-Type or Accept header names JSON and nothing else. */
function isJson(header: string | null): boolean {
  return header?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

/** @throws CarrelError `invalid_input` */
function parsed<Schema extends z.ZodObject>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalidArguments(result.error, value, Object.keys(schema.shape));
  return result.data;
}

/**
 * @throws CarrelError `unsupported` for a part of a file (RFC 9110 §14.5 wants it refused, not stored
 *   as a whole) and for a form, whose wrapping would be stored with the file
 */
function incoming(request: Request): IncomingBytes {
  if (request.headers.get('Content-Type')?.toLowerCase().startsWith('multipart/') === true)
    throw new CarrelError('unsupported', 'Send the file itself as the body, not a form.');
  if (request.headers.has('Content-Range'))
    throw new CarrelError('unsupported', 'An upload cannot be resumed. Send the whole file without Content-Range.');
  const length = request.headers.get('Content-Length') ?? '';
  return { body: request.body, length: /^\d+$/.test(length) ? Number(length) : undefined };
}

function answer(body: object): Response {
  return Response.json(body, { headers: { 'Cache-Control': 'private, no-store' } });
}

function created(entry: FileEntry): Response {
  return Response.json(showWithSession(entry), {
    status: 201,
    headers: { 'Cache-Control': 'private, no-store', Location: `/files/${entry.id}` },
  });
}
