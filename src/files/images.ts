import { toBase64 } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { collect } from './intake.ts';
import { MAX_IMAGE_BYTES } from './model.ts';

/** An image as MCP gives it. */
export interface Image {
  readonly mimeType: string;
  /** Base64. */
  readonly data: string;
}

/** By what the formats that models take are known, and where it stands. */
const FORMATS = [
  ['image/png', 0, '\u0089PNG\r\n\u001A\n'],
  ['image/jpeg', 0, '\u00FF\u00D8\u00FF'],
  ['image/gif', 0, 'GIF8'],
  ['image/webp', 8, 'WEBP'],
] as const;

/**
 * An image for a model to look at.
 *
 * @param size bytes of the file
 * @throws CarrelError `too_large`, and `unsupported` for what is none whatever its type says: with an image that a
 *   model's interface refuses a conversation cannot go on
 */
export async function readImage(size: number, bytes: () => Promise<ReadableStream<Uint8Array>>): Promise<Image> {
  if (size > MAX_IMAGE_BYTES)
    throw new CarrelError(
      'too_large',
      'Images of more than 700 KB are not shown here. Store a smaller copy, or use `file_link`.',
      { details: { size, limit: MAX_IMAGE_BYTES } },
    );
  const whole = size === 0 ? new Uint8Array() : await collect(await bytes());
  const head = String.fromCharCode(...whole.subarray(0, 16));
  const [mimeType] = FORMATS.find(([, at, mark]) => head.startsWith(mark, at)) ?? [];
  if (mimeType === undefined)
    throw new CarrelError('unsupported', 'This is no image, whatever its type says. `file_link` gives its bytes.');
  return { mimeType, data: toBase64(whole) };
}
