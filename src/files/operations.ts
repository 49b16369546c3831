import * as z from 'zod';

import type { Example, Operation } from '../http/operation.ts';
import { problemAnswer } from '../http/problem-schema.ts';
import { SAMPLE } from '../http/samples.ts';
import { ERROR_CODES } from '../lib/errors.ts';
import { sessionRef } from '../sessions/model.ts';
import { formFields } from './form-fields.ts';
import { shownFile, shownUpload } from './shown.ts';

/** What the routes of files answer, and what the documents say of them. Loaded with those alone. */

const session = sessionRef.meta({ id: 'Session', description: 'The session that a file belongs to.' });

const file = shownFile
  .extend({
    type: z.string().describe('Media type: what the bytes were recognised as, or else what was declared'),
    sha256: z.string().describe('Of the bytes, in lower-case hexadecimal'),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'File', description: 'A file as the index knows it.' });

export const storedFile = z
  .object({ session, file })
  .meta({ id: 'StoredFile', description: 'A file beside its session.' });

export const storedForm = z
  .object({
    files: z.array(storedFile),
    refused: z
      .array(
        z.object({
          name: z.string().describe('As the form has it'),
          code: z.enum(ERROR_CODES),
          detail: z.string().describe('What to do'),
        }),
      )
      .describe('Those of which nothing was stored'),
  })
  .meta({ id: 'StoredForm', description: 'What became of each file of a form.' });

export const filePage = z
  .object({
    session: session.optional().describe('The session that was listed; absent for all sessions'),
    files: z.array(file.extend({ session })),
    next_cursor: z.string().optional().describe('For the next page; absent on the last one'),
  })
  .meta({ id: 'FilePage', description: 'A page of the index, newest first.' });

export const expectedFile = z
  .object({
    session,
    file: shownFile.pick({ id: true, path: true, size: true }),
    upload: shownUpload.extend({
      url: z.url().describe('Takes the bytes once, without an access token'),
      headers: shownUpload.shape.headers.describe('To be sent with them'),
      expires_at: z.iso.datetime(),
    }),
  })
  .meta({ id: 'ExpectedFile', description: 'A file whose bytes are still to come, and where they go.' });

const BYTES_HEADERS = {
  ETag: 'The SHA-256 of the bytes, quoted',
  'Content-Disposition': 'Always an attachment, with the name of the file',
  'Accept-Ranges': '`bytes`',
};

const bytesAnswers = {
  206: {
    description: 'The part that `Range` asks for.',
    content: { '*/*': 'bytes' },
    headers: { 'Content-Range': 'Which part it is' },
  },
  304: { description: 'The file is the one that `If-None-Match` names.' },
  412: { description: 'The file is not the one that `If-Match` names.' },
  416: { description: 'The file has no such bytes.', headers: { 'Content-Range': 'How many bytes it has' } },
} as const;

const bytesRefused = {
  413: problemAnswer('The file is larger than this deployment takes, or than was declared.'),
  415: problemAnswer('A form, or a part of a file: the body must be the whole file itself.'),
};

const RANGES = {
  Range: 'One range of bytes, such as `bytes=0-1023`. Several are answered with the whole file.',
  'If-Range': 'An entity tag: the range holds only if the file has it.',
  'If-None-Match': 'Entity tags that the caller has.',
  'If-Match': 'Entity tags, of which the file must have one.',
};

const shown = {
  session: { id: 'ses_default', slug: 'default', title: 'Default' },
  file: {
    id: SAMPLE.fileId,
    path: 'table.csv',
    type: 'text/csv',
    size: 8,
    sha256: SAMPLE.sha256,
    version: 1,
    created_at: '2026-11-20T07:25:19.750Z',
    updated_at: '2026-11-20T07:25:19.750Z',
  },
};

const bytes = { name: 'table.csv', text: 'a,b\n1,2\n' };

const refused = (code: string, status: number, title: string, detail: string): Example['answer'] => ({
  status,
  json: { type: 'about:blank', title, status, code, detail, request_id: SAMPLE.requestId },
});

export const listFiles: Operation = {
  id: 'listFiles',
  group: 'Files',
  summary: 'List files',
  description:
    'The index of files, newest first, page by page: of one session, by default the session `default`, or of all. A page may hold fewer files than `limit` and still have a `next_cursor`.',
  answers: { 200: { description: 'A page of the index.', content: { 'application/json': filePage } } },
  examples: {
    session: {
      summary: 'The files of the default session',
      request: { query: { limit: '20' } },
      answer: { status: 200, json: { session: shown.session, files: [{ ...shown.file, session: shown.session }] } },
    },
    all: {
      summary: 'The next page of all files',
      request: { query: { all_sessions: 'true', limit: '1', cursor: SAMPLE.cursor } },
      answer: { status: 200, json: { files: [{ ...shown.file, session: shown.session }] } },
    },
    wrong: {
      summary: 'A limit that is too high',
      request: { query: { limit: '1000' } },
      answer: refused(
        'invalid_input',
        400,
        'The request does not fit',
        'The arguments do not fit: `limit` Too big: expected number to be <=200.',
      ),
    },
  },
};

export const createFile: Operation = {
  id: 'createFile',
  group: 'Files',
  summary: 'Store a file, or ask for an address to upload it to',
  description: [
    'With `path` in the query the body is the file itself, whatever its `Content-Type`: nothing wraps it, and `Content-Length` must be there. Its media type is recognised from the bytes and the name; `Content-Type` counts where they do not say.',
    'With `Content-Type: application/json` and no `path` in the query the body declares a file, and the answer says where its bytes go: for an uploader that has no access token, or that does not know the length beforehand.',
    'With `Content-Type: multipart/form-data` and no `path` in the query each file of the form is stored, or refused, by itself and in its order. A field is for the files behind it, so it must come before them; `path` and `sha256` are for the next file alone. Where nothing was stored, the answer is the refusal of the first.',
  ].join('\n\n'),
  body: { 'multipart/form-data': formFields },
  answers: {
    200: {
      description: 'The file is expected: send its bytes to `upload.url`.',
      content: { 'application/json': expectedFile },
    },
    201: {
      description: 'The file is stored, or all files of the form.',
      content: { 'application/json': z.union([storedFile, storedForm]) },
      headers: { Location: 'Where the file is; not for a form' },
    },
    207: {
      description: 'Some files of the form are stored, and some are not.',
      content: { 'application/json': storedForm },
    },
    ...bytesRefused,
  },
  examples: {
    store: {
      summary: 'The file as the body',
      request: { query: { path: bytes.name }, headers: { 'Content-Type': 'text/csv' }, file: bytes },
      answer: { status: 201, json: shown },
    },
    declare: {
      summary: 'A declaration',
      request: { json: { path: bytes.name, size: 8, type: 'text/csv', session: 'default' } },
      answer: {
        status: 200,
        json: {
          session: shown.session,
          file: { id: SAMPLE.expectedFileId, path: bytes.name, size: 8 },
          upload: {
            method: 'PUT',
            url: `${SAMPLE.origin}/upload/${SAMPLE.uploadAddress}`,
            headers: { 'Content-Type': 'application/octet-stream' },
            expires_at: '2026-11-20T07:40:19.671Z',
          },
        },
      },
    },
    nowhere: {
      summary: 'A session that is not there',
      request: { query: { path: bytes.name, session: 'nowhere' }, file: bytes },
      answer: refused(
        'not_found',
        404,
        'Not found',
        'There is no such session. Give its slug or id: `session_list` shows them, `session_open` makes one.',
      ),
    },
  },
};

export const fetchFile: Operation = {
  id: 'fetchFile',
  group: 'Files',
  summary: 'Fetch a file',
  description:
    'The bytes, as an attachment. With `Accept: application/json` and no other type: its entry in the index.',
  headers: RANGES,
  answers: {
    200: {
      description: 'The bytes, or the entry in the index.',
      content: { '*/*': 'bytes', 'application/json': storedFile },
      headers: BYTES_HEADERS,
    },
    ...bytesAnswers,
  },
  examples: {
    bytes: {
      summary: 'The bytes',
      request: { params: { id: SAMPLE.fileId } },
      answer: { status: 200, text: bytes.text },
    },
    part: {
      summary: 'A part',
      request: { params: { id: SAMPLE.fileId }, headers: { Range: 'bytes=4-' } },
      answer: { status: 206, text: '1,2\n' },
    },
    entry: {
      summary: 'The entry in the index',
      request: { params: { id: SAMPLE.fileId }, headers: { Accept: 'application/json' } },
      answer: { status: 200, json: shown },
    },
    missing: {
      summary: 'A file that is not there, or not yours',
      request: { params: { id: 'fil_00000000000000000000' } },
      answer: refused('not_found', 404, 'Not found', 'There is no such file. `file_list` shows those there are.'),
    },
  },
};

export const uploadFile: Operation = {
  id: 'uploadFile',
  group: 'Files',
  summary: 'Send the bytes of an expected file',
  description:
    'To an address that `POST /files` or the tool `file_upload` gave; it needs nothing else and lives 15 minutes. The bytes must have the declared size, and the declared `sha256` if there was one. What breaks off stores nothing and can be sent again; when the file is stored, the address is used up.',
  answers: {
    201: {
      description: 'The file is stored.',
      content: { 'application/json': storedFile },
      headers: { Location: 'Where the file is, for whoever has an access token' },
    },
    404: problemAnswer('No file is expected here any more.'),
    409: problemAnswer('The address was used: its file is stored.'),
    ...bytesRefused,
    429: problemAnswer('Too many uploads to this address have begun.'),
  },
  examples: {
    upload: {
      summary: 'The bytes',
      request: { params: { address: SAMPLE.uploadAddress }, file: bytes },
      answer: { status: 201, json: { ...shown, file: { ...shown.file, id: SAMPLE.expectedFileId } } },
    },
    changed: {
      summary: 'An address that was changed or cut',
      request: { params: { address: 'WyJwZXJ' }, file: bytes },
      answer: refused(
        'forbidden',
        403,
        'Not allowed',
        'This address is not valid: it was changed or cut. Ask for a new one with `file_upload`.',
      ),
    },
  },
};

export const downloadFile: Operation = {
  id: 'downloadFile',
  group: 'Files',
  summary: 'Fetch a file or a folder by its address',
  description:
    'From an address that the tool `file_link` or `POST /files/links` gave. A folder comes as a zip, which has neither ranges nor an entity tag.',
  headers: RANGES,
  answers: {
    200: { description: 'The bytes.', content: { '*/*': 'bytes' }, headers: BYTES_HEADERS },
    ...bytesAnswers,
    403: problemAnswer('The address was changed or cut, has expired, or was used as often as it may be.'),
    404: problemAnswer('The file was deleted.'),
  },
  examples: {
    download: {
      summary: 'The bytes',
      request: { params: { address: SAMPLE.downloadAddress } },
      answer: { status: 200, text: bytes.text },
    },
  },
};
