import { declaredLabels, encodingNamed, markedEncoding } from '../../lib/charset.ts';
import { joined } from '../../lib/encoding.ts';
import { Stopped } from './model.ts';
import type { Pace } from './pace.ts';

/** Bytes that are decoded between two steps. */
const PIECE_BYTES = 64 * 1024;
/** Bytes of the beginning in which HTML and XML say how they are encoded (HTML Standard §13.2.3.2). */
const PRESCAN_BYTES = 1024;

/**
 * Text of bytes, a piece at a time: by the byte order mark, UTF-8 if it is that, or else as the
 * document declares itself. What is none of those is read as UTF-8 with U+FFFD for what is not.
 *
 * @throws Stopped `too_slow`
 */
export async function* decoded(bytes: Uint8Array, pace: Pace): AsyncGenerator<string> {
  const decoder = new TextDecoder(await encodingOf(bytes, pace));
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
    await pace.step();
    yield decoder.decode(bytes.subarray(offset, offset + PIECE_BYTES), { stream: true });
  }
  yield decoder.decode();
}

/** Whether there is more than was read of a stream. */
export interface StreamProgress {
  more: boolean;
}

/**
 * Text of a stream, a piece at a time: by its byte order mark, or else as UTF-8 with U+FFFD for what is
 * not. The stream is cancelled when this is left, whatever the reason.
 *
 * @param maxBytes after which nothing more is read, and `progress` says that there is more
 * @throws Stopped `too_slow`, and whatever the stream fails with
 */
export async function* decodedStream(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  pace: Pace,
  progress: StreamProgress,
): AsyncGenerator<string> {
  const reader = stream.getReader();
  let decoder: TextDecoder | undefined;
  let held = new Uint8Array();
  let left = maxBytes;
  try {
    for (;;) {
      const { done, value } = await pace.within(reader.read());
      const bytes: Uint8Array = value ?? new Uint8Array();
      for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
        await pace.step();
        const piece = bytes.subarray(offset, Math.min(offset + PIECE_BYTES, offset + left));
        left -= piece.length;
        held = decoder ? held : joined([held, piece]);
        // A byte order mark may come in pieces as well.
        if (!decoder && held.length >= 3) {
          decoder = new TextDecoder(markedEncoding(held));
          yield decoder.decode(held, { stream: true });
        } else if (decoder) yield decoder.decode(piece, { stream: true });
        if (left === 0 && offset + piece.length < bytes.length) {
          progress.more = true;
          return;
        }
      }
      if (done) break;
    }
    yield decoder ? decoder.decode() : new TextDecoder(markedEncoding(held)).decode(held);
  } finally {
    // A stream that failed cannot be cancelled.
    await reader.cancel().catch(() => undefined);
  }
}

/** The name of an encoding that TextDecoder knows. */
async function encodingOf(bytes: Uint8Array, pace: Pace): Promise<string> {
  const marked = markedEncoding(bytes);
  if (marked !== undefined) return marked;
  const declared = declaredEncoding(bytes);
  if (declared === undefined || (await isUtf8(bytes, pace))) return 'utf-8';
  return declared;
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  const [label] = declaredLabels(bytes, PRESCAN_BYTES);
  const encoding = label === undefined ? undefined : encodingNamed(label);
  // The declaration was read as ASCII, so it cannot be UTF-16.
  return encoding?.startsWith('utf-16') ? undefined : encoding;
}

async function isUtf8(bytes: Uint8Array, pace: Pace): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  try {
    for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES) {
      await pace.step();
      decoder.decode(bytes.subarray(offset, offset + PIECE_BYTES), { stream: true });
    }
    decoder.decode();
    return true;
  } catch (thrown) {
    if (thrown instanceof Stopped) throw thrown;
    return false;
  }
}
