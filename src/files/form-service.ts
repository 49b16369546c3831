import type * as z from 'zod';

import { asCarrelError, CarrelError } from '../lib/errors.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { boundaryOf, formParts } from '../lib/multipart.ts';
import type { FormPart, ReadBytes } from '../lib/multipart.ts';
import { discard, nextPiece } from './intake.ts';
import { formFields } from './form-fields.ts';
import { ATTEMPT_MS, filePath, mediaType } from './model.ts';
import type { AddressOwner, FileEntry } from './model.ts';
import type { FileWorkspace } from './service.ts';
import type { IncomingBytes, UploadService } from './upload-service.ts';

/** Parts of one form: each file is a few calls of the workspace and of the bucket. */
const MAX_PARTS = 100;
const MAX_FIELD_BYTES = 4096;

/** A file of a form of which nothing was stored. */
interface Refused {
  readonly name: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Forms with files (RFC 7578). */
export class FormService {
  readonly #uploads: UploadService;
  readonly #maxBytes: number;

  /** @param maxBytes of a form whose length is not known */
  constructor(uploads: UploadService, maxBytes: number) {
    this.#uploads = uploads;
    this.#maxBytes = maxBytes;
  }

  /**
   * Stores the files of a form while it comes, one after another. Each has an outcome of its own: what is stored has
   * left this machine long before the last one comes, and a person who sends ten photos wants the nine that fit.
   *
   * @throws CarrelError `invalid_input` for what is no form or has no file, and, where nothing was stored, why the
   *   first file was refused
   */
  async store(
    workspace: FileWorkspace,
    owner: AddressOwner,
    { body, length = this.#maxBytes, contentType }: IncomingBytes & { readonly contentType: string },
  ): Promise<{ readonly files: readonly FileEntry[]; readonly refused: Refused[] }> {
    const boundary = boundaryOf(contentType);
    if (boundary === undefined || !body)
      throw new CarrelError('invalid_input', 'The form has no boundary, or no body.');
    const reader = body.getReader({ mode: 'byob' });
    const files: FileEntry[] = [];
    const refused: { name: string; error: CarrelError }[] = [];
    const given: Record<string, string> = {};
    // No file has more bytes than are left of the form.
    let left = length;
    try {
      let count = 0;
      for await (const part of formParts(piecesOf(reader, length), boundary)) {
        if (++count > MAX_PARTS) throw new CarrelError('too_large', `A form may have ${MAX_PARTS} parts.`);
        const read: ReadBytes = async () => {
          const bytes = await part.read();
          left -= bytes?.byteLength ?? 0;
          return bytes;
        };
        if (part.filename === undefined) given[part.name] = await textOf(read);
        // What a browser sends of an input in which no file was chosen.
        else if (part.filename !== '' || given['path'] !== undefined) {
          const stored = this.#store(workspace, owner, { ...part, read }, given, Math.min(left, this.#maxBytes));
          const name = part.filename;
          await stored.then(
            (file) => files.push(file),
            (thrown: unknown) => refused.push({ name, error: asCarrelError(thrown) }),
          );
          if (refused.at(-1)?.error.details['approval_required'] === true) throw unseen();
          delete given['path'];
          delete given['sha256'];
        }
      }
      if (files.length + refused.length === 0) throw new CarrelError('invalid_input', 'The form has no file.');
    } catch (thrown) {
      const error = asCarrelError(thrown);
      if (error.details['approval_required'] === true) refused.length = 0;
      // A form that breaks off does so in the middle of a file, which has said so.
      if (refused.at(-1)?.error.message !== error.message) refused.push({ name: '', error });
      await discard(reader).catch(() => undefined);
    }
    const [first] = refused;
    if (first && files.length === 0) throw first.error;
    return { files, refused: refused.map(({ name, error: { code, message } }) => ({ name, code, detail: message })) };
  }

  async #store(
    workspace: FileWorkspace,
    owner: AddressOwner,
    { filename = '', type, read }: FormPart,
    given: Readonly<Record<string, string>>,
    maxBytes: number,
  ): Promise<FileEntry> {
    const { data, error } = formFields.omit({ file: true }).safeParse(given);
    if (!data) throw wrongField(error.issues[0]);
    const { session, sha256, if_exists: ifExists } = data;
    const path = data.path ?? filePath.safeParse(data.folder + filename.replace(/^.*[/\\]/su, '')).data;
    if (path === undefined)
      throw new CarrelError('invalid_input', 'The name of this file can be none here. Give it a `path` before it.');
    const input = { path, session, sha256, ifExists, type: mediaType.safeParse(type).data };
    const bytes = { body: streamOf(read), length: undefined };
    return this.#uploads.create(workspace, owner, input, bytes, { maxBytes, milliseconds: ATTEMPT_MS });
  }
}

/** Nobody can approve what nobody has seen: what is in a form is known when it was read. */
const unseen = () =>
  new CarrelError(
    'forbidden',
    'The person wants to approve this first, and what is in a form is not known before. Declare each file by itself: POST /files with JSON.',
    { details: { approval_required: true } },
  );

function wrongField(issue: z.core.$ZodIssue | undefined): CarrelError {
  const field = issue?.path[0];
  return new CarrelError(
    'invalid_input',
    // A name that is not known was chosen by whoever made the form.
    field === undefined
      ? `The form has a field besides ${Object.keys(formFields.shape).join(', ')}.`
      : `The field \`${String(field)}\` ${issue?.message}.`,
  );
}

/** @throws from what it gives: CarrelError `too_large` beyond the length */
function piecesOf(reader: ReadableStreamBYOBReader, length: number): ReadBytes {
  let size = 0;
  return async () => {
    const piece = await nextPiece(reader);
    size += piece?.byteLength ?? 0;
    if (size > length)
      throw new CarrelError('too_large', 'The form is larger than this deployment takes.', {
        details: { limit: length },
      });
    return piece;
  };
}

async function textOf(read: ReadBytes): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = await read(); bytes; bytes = await read()) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MAX_FIELD_BYTES) throw new CarrelError('too_large', 'A field of the form is too long.');
  }
  return text + decoder.decode();
}

function streamOf(read: ReadBytes): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const bytes = await read();
      // A copy, because the stream takes the memory away, and what comes next is in the same.
      if (bytes) return controller.enqueue(bytes.slice());
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}
