import type { ByteRange } from './bucket.ts';
import { attachment } from './disposition.ts';
import { servedType } from './media-types.ts';
import type { FileEntry } from './model.ts';
import { baseName } from './paths.ts';
import { matchesEntityTag, parseRange } from './range.ts';

/**
 * A file as the answer to GET or HEAD: one range, conditions, and headers that keep a browser from
 * treating bytes that somebody uploaded as a page of this origin, which holds sign-in cookies.
 *
 * @param read the bytes, asked for only when the answer has some
 */
export async function downloadResponse(
  request: Request,
  file: FileEntry,
  read: (range: ByteRange | undefined) => Promise<ReadableStream<Uint8Array>>,
): Promise<Response> {
  const entityTag = `"${file.sha256}"`;
  const headers = new Headers({
    'Cache-Control': 'private, no-store',
    ETag: entityTag,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  if (matchesEntityTag(request.headers.get('If-None-Match'), entityTag))
    return new Response(null, { status: 304, headers });

  headers.set('Accept-Ranges', 'bytes');
  const isHead = request.method === 'HEAD';
  // Range is defined for GET alone (RFC 9110 §14.2); If-Range makes it hold only for the file that the client began with.
  const ifRange = request.headers.get('If-Range');
  const applies = !isHead && (ifRange === null || ifRange === entityTag);
  const range = applies ? parseRange(request.headers.get('Range'), file.size) : undefined;
  if (range === 'unsatisfiable') {
    headers.set('Content-Range', `bytes */${file.size}`);
    return new Response(null, { status: 416, headers });
  }

  headers.set('Content-Type', servedType(file.type));
  headers.set('Content-Disposition', attachment(baseName(file.path)));
  headers.set('Content-Length', String(range?.length ?? file.size));
  if (range) headers.set('Content-Range', `bytes ${range.offset}-${range.offset + range.length - 1}/${file.size}`);
  const body = isHead || file.size === 0 ? null : await read(range);
  return new Response(body, { status: range ? 206 : 200, headers });
}
