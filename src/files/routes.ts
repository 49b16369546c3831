import * as z from 'zod';

import { endpoint, endpointOf, way } from '../http/endpoint.ts';
import { contentLength } from '../http/headers.ts';
import type { AuthorisedContext, HttpContext, ProtectedRoute, Route } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import { sessionReference } from '../sessions/model.ts';
import {
  filePath,
  fileReference,
  fileSize,
  folderPath,
  IF_EXISTS,
  linkMinutes,
  linkUses,
  MAX_PAGE,
  mediaType,
  sha256,
  storing,
} from './model.ts';
import type { FileEntry } from './model.ts';
import type { madeLink } from './link-operations.ts';
import type { expectedFile, filePage, storedFile, storedForm } from './operations.ts';
import type { FileServices } from './tools.ts';
import type { IncomingBytes } from './upload-service.ts';
import type { partsStatus, storedPart } from './parts-operations.ts';
import { tusRoutes } from './tus/routes.ts';
import { showFile, showLink, showParts, showUpload, showWithSession } from './shown.ts';

const session = sessionReference.optional().describe('Id or slug of a session; without one, the session `default`');

const declaration = z
  .strictObject({
    path: filePath.describe('Within the session, such as reports/q3.pdf'),
    size: fileSize.describe('Bytes'),
    sha256: sha256.optional().describe('If given, the upload must have it'),
    type: mediaType.optional().describe('Media type, used where the bytes do not say what they are'),
    in_parts: z.boolean().default(false).describe('Whether it comes in parts; a large one always does'),
    if_exists: z.enum(IF_EXISTS).default('new_version').describe('What becomes of it where the path is taken'),
    session,
  })
  .meta({ id: 'FileDeclaration', description: 'A file that somebody wants to upload.' });

const creation = declaration.omit({ size: true, type: true, in_parts: true });

const listing = z.strictObject({
  session,
  folder: folderPath.default('').describe('Only what is in it, such as reports/2026'),
  tag: z.string().max(50).optional().describe('Only what has it'),
  order: z.enum(['updated', 'created', 'path', 'size']).default('updated').describe('Descending, but for paths'),
  all_sessions: z.stringbool().default(false).describe('The files of all sessions'),
  limit: z.coerce.number().pipe(z.int().min(1).max(MAX_PAGE)).default(50).describe('Files of one page'),
  cursor: z.string().max(2000).optional().describe('The `next_cursor` of the page before'),
});

const toLink = z
  .strictObject({
    file: fileReference.describe('Its id or its path in the session; a folder, which comes as a zip, ends with /'),
    session,
    minutes: linkMinutes.describe('How long it works'),
    uses: linkUses.describe('How often bytes may be fetched from it; any number without it'),
  })
  .meta({ id: 'LinkTerms', description: 'An address that somebody wants to give away.' });

const toZip = z.strictObject({ session, folder: folderPath.default('').describe('All of the session without it') });

const byId = z.object({ id: z.string().describe('Id of a file') });
const byAddress = z.object({ address: z.string().describe('Signed, for one file and one purpose') });
const byPart = byAddress.extend({
  number: z.coerce.number().pipe(z.int().min(1).max(10_000)).describe('From 1'),
});
const anyBytes = { '*/*': 'bytes' } as const;

/** How bytes go out, loaded with the first: an isolate that serves MCP alone never needs it. */
const downloads = () => import('./download.ts');
/** The documents of these routes, which few requests need. */
const documents = () => import('./operations.ts');
const partsDocuments = () => import('./parts-operations.ts');
const linkDocuments = () => import('./link-operations.ts');

/** Files over HTTP. `open`: addresses that need no other credential. `protected`: with an access token. */
export function fileRoutes({ files, uploads, parts, forms, tus, links }: FileServices): {
  open: Route[];
  protected: ProtectedRoute[];
} {
  const byTus = tusRoutes(tus);
  const declare = way({
    json: declaration,
    handle: async ({ origin, principal, gated }: AuthorisedContext, { json }) => {
      const { path: name, size } = json;
      const inParts = json.in_parts || uploads.needsParts(size);
      const { file, path, expiresAt } = await gated(storing('file_upload', json), (workspace) =>
        (inParts ? parts : uploads).expect(workspace, principal, {
          path: name,
          size,
          sha256: json.sha256,
          type: json.type,
          ifExists: json.if_exists,
          session: json.session,
        }),
      );
      return answer<typeof expectedFile>({
        session: file.session,
        file: { id: file.id, path: name, size },
        upload: showUpload(`${origin}${path}`, size, expiresAt, inParts),
      });
    },
  });

  const store = way({
    query: creation,
    body: anyBytes,
    handle: async ({ request, principal, gated }: AuthorisedContext, { query }) => {
      const { body, length } = incoming(request);
      if (length === undefined)
        throw new CarrelError(
          'invalid_input',
          'Send Content-Length, or declare the file first: POST /files with JSON.',
        );
      const type = mediaType.safeParse(request.headers.get('Content-Type')).data;
      const { path, sha256: checksum } = query;
      return created(
        await gated(storing('file_write', { ...query, size: length }), (workspace) =>
          uploads.create(
            workspace,
            principal,
            { path, session: query.session, sha256: checksum, type, ifExists: query.if_exists },
            { body, length },
          ),
        ),
      );
    },
  });

  const storeForm = way({
    handle: async ({ request, principal, workspace }: AuthorisedContext) => {
      const { headers, body } = request;
      const sent = { body, length: contentLength(request), contentType: headers.get('Content-Type') ?? '' };
      // Nobody knows what is in it before it is read, so nobody can approve it: its files are declared one by one then.
      const admitted = workspace.asking({ tool: 'file_write', destructive: false, bytes: sent.length ?? Infinity });
      const { files: stored, refused } = await (await forms()).store(admitted, principal, sent);
      const shown = { files: stored.map(showWithSession), refused };
      return answer<typeof storedForm>(shown, refused.length === 0 ? 201 : 207);
    },
  });

  const list = way({
    query: listing,
    handle: async ({ workspace }: AuthorisedContext, { query }) => {
      const page = await files.list(workspace, {
        scope: query.all_sessions ? { all: true } : { session: query.session },
        order: query.order,
        descending: query.order !== 'path',
        folder: query.folder,
        tag: query.tag,
        limit: query.limit,
        cursor: query.cursor,
      });
      return answer<typeof filePage>({
        session: page.session,
        files: page.files.map((entry) => ({ ...showFile(entry), session: entry.session })),
        next_cursor: page.nextCursor,
      });
    },
  });

  const fetchOne = way({
    params: byId,
    handle: async ({ request, workspace }: AuthorisedContext, { params }) => {
      const file = await files.find(workspace, { file: params.id });
      return isJson(request.headers.get('Accept'))
        ? answer<typeof storedFile>(showWithSession(file))
        : (await downloads()).downloadResponse(request, file, (range) => files.bytes(file, range));
    },
  });

  const zip = way({
    query: toZip,
    handle: async ({ request, workspace }: AuthorisedContext, { query }) => {
      const archive = await files.zip(workspace, { session: query.session, folder: query.folder });
      return (await downloads()).zipResponse(request, archive);
    },
  });

  const link = way({
    json: toLink,
    handle: async ({ origin, principal, workspace }: AuthorisedContext, { json }) => {
      const { file, session: within, minutes, uses } = json;
      const made = await links.link(workspace, principal, { file, session: within }, { minutes, uses });
      return answer<typeof madeLink>(showLink(origin, made));
    },
  });

  const receive = way({
    params: byAddress,
    body: anyBytes,
    handle: async ({ request }: HttpContext, { params }) =>
      created(await uploads.receive(params.address, incoming(request))),
  });

  const status = way({
    params: byAddress,
    handle: async (_context: HttpContext, { params }) =>
      answer<typeof partsStatus>(showParts(await parts.status(params.address))),
  });

  const receivePart = way({
    params: byPart,
    body: anyBytes,
    handle: async ({ request }: HttpContext, { params }) =>
      answer<typeof storedPart>(await parts.receive(params.address, params.number, incoming(request))),
  });

  const complete = way({
    params: byAddress,
    handle: async (_context: HttpContext, { params }) =>
      answer<typeof partsStatus>(showParts(await parts.complete(params.address)), 202),
  });

  const abort = way({
    params: byAddress,
    handle: async (_context: HttpContext, { params }) => {
      await parts.abort(params.address);
      return new Response(null, { status: 204 });
    },
  });

  const download = way({
    params: byAddress,
    handle: async ({ request }: HttpContext, { params }) => {
      const opened = await links.open(params.address);
      const { downloadResponse, zipResponse } = await downloads();
      if ('zip' in opened) return zipResponse(request, opened.zip, opened.admit);
      const { file, admit } = opened;
      return downloadResponse(request, file, (range) => files.bytes(file, range), admit);
    },
  });

  return {
    open: [
      byTus.open,
      {
        path: '/upload/:address',
        methods: {
          PUT: endpoint(async () => (await documents()).uploadFile, receive),
          GET: endpoint(async () => (await partsDocuments()).uploadStatus, status),
          DELETE: endpoint(async () => (await partsDocuments()).abortUpload, abort),
        },
        body: 'stream',
        crossOrigin: 'any',
      },
      {
        path: '/upload/:address/parts/:number',
        methods: { PUT: endpoint(async () => (await partsDocuments()).uploadPart, receivePart) },
        body: 'stream',
        crossOrigin: 'any',
      },
      {
        path: '/upload/:address/complete',
        methods: { POST: endpoint(async () => (await partsDocuments()).completeUpload, complete) },
        crossOrigin: 'any',
      },
      {
        path: '/download/:address',
        methods: { GET: endpoint(async () => (await documents()).downloadFile, download) },
        crossOrigin: 'any',
      },
    ],
    protected: [
      // Before the files, of which none is called so.
      byTus.protected,
      {
        path: '/files',
        methods: {
          GET: { scope: 'files:read', ...endpoint(async () => (await documents()).listFiles, list) },
          POST: {
            scope: 'files:write',
            ...endpointOf(
              async () => (await documents()).createFile,
              (context) => (isForm(context) ? storeForm : declares(context) ? declare : store),
              [declare, store, storeForm],
            ),
          },
        },
        body: 'stream',
      },
      {
        path: '/files/zip',
        methods: { GET: { scope: 'files:read', ...endpoint(async () => (await linkDocuments()).zipFiles, zip) } },
      },
      {
        path: '/files/links',
        methods: { POST: { scope: 'files:read', ...endpoint(async () => (await linkDocuments()).linkFile, link) } },
      },
      {
        path: '/files/:id',
        methods: { GET: { scope: 'files:read', ...endpoint(async () => (await documents()).fetchFile, fetchOne) } },
      },
    ],
  };
}

/** Whether a `POST /files` declares a file and does not bring its bytes. */
function declares({ request, url }: HttpContext): boolean {
  return isJson(request.headers.get('Content-Type')) && !url.searchParams.has('path');
}

/** Whether a `POST /files` is a form. With a path in its address it is taken for a file that is wrapped by mistake. */
function isForm({ request, url }: HttpContext): boolean {
  return /^multipart\/form-data\b/i.test(request.headers.get('Content-Type') ?? '') && !url.searchParams.has('path');
}

/** Whether a Content-Type or Accept header names JSON and nothing else. */
function isJson(header: string | null): boolean {
  return header?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
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
  return { body: request.body, length: contentLength(request) };
}

function answer<Schema extends z.ZodType>(body: z.output<Schema>, status = 200): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'private, no-store' } });
}

function created(entry: FileEntry): Response {
  return Response.json(showWithSession(entry) satisfies z.output<typeof storedFile>, {
    status: 201,
    headers: { 'Cache-Control': 'private, no-store', Location: `/files/${entry.id}` },
  });
}
