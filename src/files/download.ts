import type { ByteRange } from './bucket.ts';
import { attachment } from './disposition.ts';
import type { FileEntry } from './model.ts';
import { baseName } from './paths.ts';
import { matchesEntityTag, parseRange } from './range.ts';
import { servedType } from './served-type.ts';
import type { FolderZip } from './zip/folder-zip.ts';

/** What every answer with somebody's bytes bears, which must be no page of this origin: it holds sign-in cookies. */
const GUARD = {
  'Cache-Control': 'private, no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Asked once of an answer that is about to go out: it throws where that may not. */
type Admit = (hasBytes: boolean) => Promise<void>;

const admitAll: Admit = async () => {};

/**
 * A file as the answer to GET or HEAD: one range, and conditions.
 *
 * @param read the bytes, asked for only when the answer has some
 */
export async function downloadResponse(
  request: Request,
  file: FileEntry,
  read: (range: ByteRange | undefined) => Promise<ReadableStream<Uint8Array>>,
  admit = admitAll,
): Promise<Response> {
  const entityTag = `"${file.sha256}"`;
  const headers = new Headers({ ...GUARD, ETag: entityTag });
  const nothing = async (status: number) => {
    await admit(false);
    return new Response(null, { status, headers });
  };
  // In the order of RFC 9110 §13.2.2.
  const ifMatch = request.headers.get('If-Match');
  if (ifMatch !== null && !matchesEntityTag(ifMatch, entityTag, 'strong')) return nothing(412);
  if (matchesEntityTag(request.headers.get('If-None-Match'), entityTag)) return nothing(304);

  headers.set('Accept-Ranges', 'bytes');
  const isHead = request.method === 'HEAD';
  // Range is defined for GET alone (RFC 9110 §14.2); If-Range makes it hold only for the file that the client began with.
  const ifRange = request.headers.get('If-Range');
  const applies = !isHead && (ifRange === null || ifRange === entityTag);
  const range = applies ? parseRange(request.headers.get('Range'), file.size) : undefined;
  if (range === 'unsatisfiable') {
    headers.set('Content-Range', `bytes */${file.size}`);
    return nothing(416);
  }

  headers.set('Content-Type', servedType(file.type));
  headers.set('Content-Disposition', attachment(baseName(file.path)));
  headers.set('Content-Length', String(range?.length ?? file.size));
  if (range) headers.set('Content-Range', `bytes ${range.offset}-${range.offset + range.length - 1}/${file.size}`);
  await admit(!isHead);
  const body = isHead || file.size === 0 ? null : await read(range);
  return new Response(body, { status: range ? 206 : 200, headers });
}

/** A folder as the answer to GET or HEAD: always all of it, because it is made while it is sent. */
export async function zipResponse(request: Request, zip: FolderZip, admit = admitAll): Promise<Response> {
  const isHead = request.method === 'HEAD';
  await admit(!isHead);
  const headers = new Headers({
    ...GUARD,
    'Accept-Ranges': 'none',
    'Content-Type': 'application/zip',
    'Content-Disposition': attachment(zip.name),
    'Content-Length': String(zip.size),
  });
  return new Response(isHead ? null : zip.bytes(), { headers });
}
