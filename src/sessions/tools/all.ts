import * as z from 'zod';

import { defineTool, DESTROY, READ, UPDATE } from '../../mcp/toolset.ts';
import type { ToolsetContents } from '../../mcp/toolset.ts';
import {
  MAX_PAGE,
  session,
  sessionDescription,
  sessionRef,
  sessionReference,
  sessionSlug,
  stateKey,
  stateValue,
} from '../model.ts';
import type { Session } from '../model.ts';
import { SessionService } from '../service.ts';

const isoTime = (milliseconds: number) => new Date(milliseconds).toISOString();

const sessionOutput = sessionRef.extend({
  description: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  archived: z.boolean(),
});

const expectedVersion = z.int().min(0).optional();
const limit = z.int().min(1).max(MAX_PAGE).default(50);
const cursor = z.string().max(2000).optional().describe('`next_cursor` of the page before');
const nextCursor = z.string().optional();

function shown(value: Session): z.input<typeof sessionOutput> {
  return {
    id: value.id,
    slug: value.slug,
    title: value.title,
    description: value.description,
    created_at: isoTime(value.createdAt),
    updated_at: isoTime(value.updatedAt),
    archived: value.archivedAt !== null,
  };
}

function line(value: z.output<typeof sessionOutput>): string {
  const description = value.description === '' ? '' : `\n  ${value.description}`;
  return `${value.title} (slug ${value.slug}, id ${value.id})${value.archived ? ', archived' : ''}, updated ${value.updated_at}${description}`;
}

/** What sessions bring to a client. */
export function sessionTools(service = new SessionService()): ToolsetContents {
  const whoami = defineTool('whoami', {
    title: 'Who am I',
    description: 'Whose workspace this connection works in, as which client, with which permissions.',
    behaviour: READ,
    input: z.strictObject({}),
    output: z.object({
      person: z.string(),
      name: z.string(),
      client: z.string(),
      scopes: z.array(z.string()),
      session: sessionRef,
    }),
    handle: async (_input, { principal, workspace }) => {
      const { id, slug, title } = await service.get(workspace, undefined);
      return {
        person: principal.personId,
        name: principal.label,
        client: principal.clientId,
        scopes: [...principal.scopes],
        session: { id, slug, title },
      };
    },
    text: ({ person, name, client, scopes, session: { slug } }) =>
      `${name} (${person}), through client ${client}, with ${scopes.join(', ')}. Without a session argument, tools work in "${slug}".`,
  });

  const open = defineTool('session_open', {
    title: 'Open a session',
    description:
      'Opens a named piece of work: resumes the session with this title, slug or id, or creates one with this title. An archived one becomes active again. Pass the slug as `session` to the other tools.',
    behaviour: UPDATE,
    input: z.strictObject({
      session: sessionReference.describe('Title, slug or id'),
      description: sessionDescription.optional().describe('What it is for; used when it is created'),
    }),
    output: z.object({ session: sessionOutput, created: z.boolean() }),
    handle: async (input, { workspace }) => {
      const opened = await service.open(workspace, { reference: input.session, description: input.description });
      return { session: shown(opened.session), created: opened.created };
    },
    text: (output) => `${output.created ? 'Created' : 'Resumed'}: ${line(output.session)}`,
  });

  const list = defineTool('session_list', {
    title: 'List sessions',
    description: 'The sessions of the workspace, the last created first.',
    behaviour: READ,
    input: z.strictObject({
      archived: z.boolean().default(false).describe('The archived ones instead of the active'),
      limit,
      cursor,
    }),
    output: z.object({ sessions: z.array(sessionOutput), next_cursor: nextCursor }),
    handle: async (input, { workspace }) => {
      const page = await service.list(workspace, { ...input, cursor: input.cursor });
      return { sessions: page.sessions.map(shown), next_cursor: page.nextCursor };
    },
    text: ({ sessions, next_cursor }) =>
      [
        sessions.length === 0 ? 'No sessions.' : sessions.map(line).join('\n'),
        next_cursor && `More: cursor ${next_cursor}`,
      ]
        .filter((part) => part !== undefined)
        .join('\n'),
  });

  const get = defineTool('session_get', {
    title: 'Get a session',
    description: 'One session with its description. Its values are read with state_list and state_get.',
    behaviour: READ,
    input: z.strictObject({ session }),
    output: z.object({ session: sessionOutput }),
    handle: async (input, { workspace }) => ({ session: shown(await service.get(workspace, input.session)) }),
    text: (output) => line(output.session),
  });

  const update = defineTool('session_update', {
    title: 'Update a session',
    description: 'Changes the title, description or slug of a session. What is left out stays.',
    behaviour: UPDATE,
    input: z.strictObject({
      session,
      title: sessionReference.optional(),
      description: sessionDescription.optional(),
      slug: sessionSlug.optional(),
    }),
    output: z.object({ session: sessionOutput }),
    handle: async ({ session: reference, ...change }, { workspace }) => ({
      session: shown(await service.update(workspace, reference, change)),
    }),
    text: (output) => `Updated: ${line(output.session)}`,
  });

  const archive = defineTool('session_archive', {
    title: 'Archive a session',
    description: 'Takes a finished session out of session_list, or brings it back. Nothing in it is deleted.',
    behaviour: UPDATE,
    input: z.strictObject({
      session: sessionReference.describe('Id or slug'),
      archived: z.boolean().default(true).describe('false brings it back'),
    }),
    output: z.object({ session: sessionOutput }),
    handle: async (input, { workspace }) => ({
      session: shown(await service.archive(workspace, input.session, input.archived)),
    }),
    text: (output) => `${output.session.archived ? 'Archived' : 'Active again'}: ${line(output.session)}`,
  });

  const stateGet = defineTool('state_get', {
    title: 'Read a value',
    description:
      'Reads the JSON value of a key with its version. A value too large for one answer comes as parts of its JSON text: go on with `offset`.',
    behaviour: READ,
    input: z.strictObject({
      key: stateKey,
      session,
      offset: z.int().min(0).optional().describe('`next_offset` of the part before'),
    }),
    output: z.object({
      session: sessionRef,
      key: z.string(),
      version: z.int(),
      updated_at: z.string(),
      value: z.unknown().optional(),
      part: z.object({ text: z.string(), next_offset: z.int().optional(), characters: z.int() }).optional(),
    }),
    handle: async (input, { workspace }) => {
      const {
        session: { id, slug, title },
        key,
        version,
        updatedAt,
        value,
        part,
      } = await service.getState(workspace, {
        reference: input.session,
        key: input.key,
        offset: input.offset,
      });
      return {
        session: { id, slug, title },
        key,
        version,
        updated_at: isoTime(updatedAt),
        ...(part
          ? { part: { text: part.text, next_offset: part.nextOffset, characters: part.characters } }
          : { value }),
      };
    },
    text: ({ session: { slug }, key, version, value, part }) =>
      part
        ? `${key} in ${slug}, version ${version}, a part of its ${part.characters} characters${part.next_offset === undefined ? ', the last' : `; go on with offset ${part.next_offset}`}:\n${part.text}`
        : `${key} in ${slug}, version ${version}:\n${JSON.stringify(value)}`,
  });

  const stateSet = defineTool('state_set', {
    title: 'Write a value',
    description:
      'Keeps a JSON value (notes, findings, settings; up to 256 KB) under a key of the session. With expected_version it writes only if the key still has that version (0: the key is new), so that two assistants never overwrite each other unseen.',
    behaviour: DESTROY,
    input: z.strictObject({
      key: stateKey,
      value: stateValue.describe('Any JSON'),
      session,
      expected_version: expectedVersion.describe('The version that you read; 0 for a new key'),
    }),
    output: z.object({ session: sessionRef, key: z.string(), version: z.int(), bytes: z.int() }),
    handle: async (input, { workspace }) => {
      const {
        session: { id, slug, title },
        version,
        bytes,
      } = await service.setState(workspace, {
        reference: input.session,
        key: input.key,
        value: input.value,
        expectedVersion: input.expected_version,
      });
      return { session: { id, slug, title }, key: input.key, version, bytes };
    },
    text: ({ session: { slug }, key, version, bytes }) => `Wrote ${key} in ${slug}: version ${version}, ${bytes} B.`,
  });

  const stateDelete = defineTool('state_delete', {
    title: 'Delete a value',
    description: 'Deletes a key of the session, with expected_version only if it still has that version.',
    behaviour: DESTROY,
    input: z.strictObject({ key: stateKey, session, expected_version: expectedVersion }),
    output: z.object({ session: sessionRef, key: z.string(), deleted: z.boolean() }),
    handle: async (input, { workspace }) => {
      const {
        session: { id, slug, title },
        deleted,
      } = await service.deleteState(workspace, {
        reference: input.session,
        key: input.key,
        expectedVersion: input.expected_version,
      });
      return { session: { id, slug, title }, key: input.key, deleted };
    },
    text: ({ session: { slug }, key, deleted }) =>
      deleted ? `Deleted ${key} in ${slug}.` : `${slug} has no key ${key}.`,
  });

  const stateList = defineTool('state_list', {
    title: 'List keys',
    description: 'The keys of the session in alphabetical order, with versions and sizes, without their values.',
    behaviour: READ,
    input: z.strictObject({
      session,
      prefix: z.string().max(256).default('').describe('Only keys that begin with this'),
      limit,
      cursor,
    }),
    output: z.object({
      session: sessionRef,
      keys: z.array(z.object({ key: z.string(), version: z.int(), bytes: z.int(), updated_at: z.string() })),
      next_cursor: nextCursor,
    }),
    handle: async (input, { workspace }) => {
      const page = await service.listState(workspace, { ...input, reference: input.session, cursor: input.cursor });
      const { id, slug, title } = page.session;
      return {
        session: { id, slug, title },
        keys: page.entries.map(({ key, version, bytes, updatedAt }) => ({
          key,
          version,
          bytes,
          updated_at: isoTime(updatedAt),
        })),
        next_cursor: page.nextCursor,
      };
    },
    text: ({ session: { slug }, keys, next_cursor }) =>
      [
        keys.length === 0 ? `No such keys in ${slug}.` : `Keys in ${slug}:`,
        ...keys.map(({ key, version, bytes }) => `${key} (version ${version}, ${bytes} B)`),
        ...(next_cursor === undefined ? [] : [`More: cursor ${next_cursor}`]),
      ].join('\n'),
  });

  return { tools: [whoami, open, list, get, update, archive, stateGet, stateSet, stateDelete, stateList] };
}
