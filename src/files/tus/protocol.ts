import { waitUntil } from 'cloudflare:workers';
import type * as z from 'zod';

import { contentLength } from '../../http/headers.ts';
import type { AuthorisedContext, HttpContext } from '../../http/route.ts';
import { CarrelError } from '../../lib/errors.ts';
import { storing } from '../model.ts';
import { describeFile, parseBytes, parseChecksum, parseMetadata } from './headers.ts';
import type { tusUpload } from './operations.ts';
import type { TusBytes, TusService } from './service.ts';

/** The requests of tus 1.0. Loaded with the first of them. */

/** A refusal with a status of its own. */
export interface Refusal {
  readonly status: number;
  readonly error: CarrelError;
}

type Answer = Response | Refusal;

const BYTES_TYPE = 'application/offset+octet-stream';

/** `POST` to where uploads begin (tus, Creation and Creation With Upload). */
export async function create(service: TusService, context: AuthorisedContext): Promise<Answer> {
  const { request, origin, principal, gated } = context;
  const { headers } = request;
  const refusal = otherVersion(request);
  if (refusal) return refusal;
  if (headers.has('Upload-Concat'))
    throw new CarrelError('invalid_input', 'An upload comes as one: leave out Upload-Concat (`parallelUploads: 1`).');
  const size = parseBytes(headers, 'Upload-Length');
  const metadata = headers.get('Upload-Metadata') ?? undefined;
  const { path: name, type, sha256, session, if_exists: ifExists } = describeFile(parseMetadata(metadata));
  const file = { path: name, size, type, sha256, session, ifExists, metadata };
  // Some clients send a body of no bytes, without a type and in chunks.
  const length = headers.get('Content-Length');
  const bytes = length !== '0' && (length !== null || isOfBytes(headers)) ? bytesOf(request) : undefined;
  const { path, expiresAt, received } = await toItsEnd(
    gated(storing('file_upload', { ...file, path: name, if_exists: ifExists ?? 'new_version' }), (workspace) =>
      service.create(workspace, principal, file, bytes),
    ),
  );
  if (received?.outcome === 'mismatch') return mismatch();
  return empty(201, {
    Location: `${origin}${path}`,
    ...expiry(received ? received.expiresAt : expiresAt),
    ...(bytes && received ? { 'Upload-Offset': String(received.offset) } : {}),
  });
}

/** `HEAD`: how far it is (tus, Core). `GET`, which tus does not have: what became of it. */
export async function status(service: TusService, { request }: HttpContext, address: string): Promise<Answer> {
  const isHead = request.method === 'HEAD';
  const refusal = isHead ? otherVersion(request) : undefined;
  if (refusal) return refusal;
  const {
    state,
    path,
    size,
    received,
    metadata,
    fileId,
    problem: fault,
    expiresAt,
  } = await (isHead ? service.resume(address) : service.status(address));
  const isComplete = received === size;
  // Who goes on with one that failed sends nothing: it must begin anew.
  if (isHead && state === 'failed') throw new CarrelError('not_found', fault ?? 'The file was refused.');
  const headers = {
    'Cache-Control': 'no-store',
    'Upload-Offset': String(received),
    'Upload-Length': String(size),
    ...(metadata === undefined ? {} : { 'Upload-Metadata': metadata }),
    ...expiry(isComplete ? undefined : expiresAt),
  };
  const body: z.output<typeof tusUpload> = {
    state: state === 'completing' ? 'verifying' : state,
    path,
    size,
    received,
    ...(fileId === undefined ? {} : { file_id: fileId }),
    ...(fault === undefined ? {} : { problem: fault }),
  };
  return Response.json(body, { headers });
}

/** `PATCH`: bytes that follow those that are here (tus, Core and Checksum). */
export async function append(service: TusService, { request }: HttpContext, address: string): Promise<Answer> {
  const refusal = otherVersion(request);
  if (refusal) return refusal;
  const offset = parseBytes(request.headers, 'Upload-Offset');
  const received = await toItsEnd(service.receive(address, offset, bytesOf(request)));
  if (received.outcome === 'mismatch') return mismatch();
  return empty(204, { 'Upload-Offset': String(received.offset), ...expiry(received.expiresAt) });
}

/** `DELETE` (tus, Termination). */
export async function terminate(service: TusService, { request }: HttpContext, address: string): Promise<Answer> {
  const refusal = otherVersion(request);
  if (refusal) return refusal;
  await service.terminate(address);
  return empty(204, {});
}

/** `POST` for a client that has no other methods: what it means stands in `X-HTTP-Method-Override` (tus, Core). */
export async function override(service: TusService, context: HttpContext, address: string): Promise<Answer> {
  const method = context.request.headers.get('X-HTTP-Method-Override')?.toUpperCase();
  if (method === 'PATCH') return append(service, context, address);
  if (method === 'DELETE') return terminate(service, context, address);
  throw new CarrelError('invalid_input', 'Send PATCH or DELETE, or name one of them in X-HTTP-Method-Override.');
}

/** @throws CarrelError `unsupported` for bytes of another type, `invalid_input` for a checksum that is none */
function bytesOf(request: Request): TusBytes {
  const { headers, body } = request;
  if (!isOfBytes(headers)) throw new CarrelError('unsupported', `Send bytes with \`Content-Type: ${BYTES_TYPE}\`.`);
  return { body, length: contentLength(request), checksum: parseChecksum(headers.get('Upload-Checksum')) };
}

const isOfBytes = (headers: Headers) => headers.get('Content-Type')?.trim().toLowerCase() === BYTES_TYPE;

/** Goes on when the client has gone: what it sent is stored, and it asks how much that was. */
async function toItsEnd<Result>(work: Promise<Result>): Promise<Result> {
  const settled = () => undefined;
  waitUntil(work.then(settled, settled));
  return work;
}

function otherVersion({ headers }: Request): Refusal | undefined {
  if (headers.get('Tus-Resumable') === '1.0.0') return undefined;
  const error = new CarrelError('unsupported', 'Send `Tus-Resumable: 1.0.0`: no other version of tus is known here.');
  return { status: 412, error };
}

function mismatch(): Refusal {
  const error = new CarrelError(
    'invalid_input',
    'The bytes have another checksum. Nothing was stored; send them again.',
  );
  return { status: 460, error };
}

function expiry(at: number | undefined): Record<string, string> {
  return at === undefined ? {} : { 'Upload-Expires': new Date(at).toUTCString() };
}

function empty(code: number, headers: Record<string, string>): Response {
  return new Response(null, { status: code, headers: { 'Cache-Control': 'no-store', ...headers } });
}
export { TusService } from './service.ts';
