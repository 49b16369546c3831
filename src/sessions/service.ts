import { itemsWithinBudget, OUTPUT_BUDGET_CHARACTERS } from '../lib/budget.ts';
import { encodeCursor, placeOf } from '../lib/cursor.ts';
import { byteLength } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { MAX_VALUE_BYTES, noSuchSession } from './model.ts';
import type { Session, SessionRef, StateSummary } from './model.ts';

type SessionWorkspace = Pick<OpenWorkspace, 'sessions' | 'state'>;

const defaultStays = () =>
  new CarrelError('unsupported', 'The default session is always there: it keeps its slug and cannot be archived.');

export interface StateValue {
  readonly session: SessionRef;
  readonly key: string;
  readonly version: number;
  readonly updatedAt: number;
  /** The whole value, or undefined where it is larger than a result may be. */
  readonly value: unknown;
  /** A part of the value's JSON text, where it is too large or an offset was given. */
  readonly part:
    | { readonly text: string; readonly nextOffset: number | undefined; readonly characters: number }
    | undefined;
}

/** Sessions and their state. Policy only: every method is one round trip to the workspace. */
export class SessionService {
  async open(
    { sessions }: SessionWorkspace,
    input: { reference: string; description: string | undefined },
  ): Promise<{ session: Session; created: boolean }> {
    const opened = await sessions.open(input.reference, input.description, Date.now());
    if (!opened) throw noSuchSession();
    return opened;
  }

  async list(
    { sessions }: SessionWorkspace,
    input: { archived: boolean; limit: number; cursor: string | undefined },
  ): Promise<{ sessions: readonly Session[]; nextCursor: string | undefined }> {
    const after = placeOf(input.cursor, 2);
    const page = await sessions.list({ archived: input.archived, limit: input.limit, after });
    const fitting = itemsWithinBudget(page.sessions);
    const last = fitting.at(-1);
    const next = fitting.length < page.sessions.length && last ? [last.createdAt, last.id] : page.next;
    return { sessions: fitting, nextCursor: next && encodeCursor(next) };
  }

  async get({ sessions }: SessionWorkspace, reference: string | undefined): Promise<Session> {
    const session = await sessions.find(reference);
    if (!session) throw noSuchSession();
    return session;
  }

  async update(
    { sessions }: SessionWorkspace,
    reference: string | undefined,
    change: { title?: string | undefined; description?: string | undefined; slug?: string | undefined },
  ): Promise<Session> {
    if (Object.values(change).every((value) => value === undefined))
      throw new CarrelError('invalid_input', 'Nothing to change. Give a title, a description or a slug.');
    const updated = await sessions.update(reference, change, Date.now());
    if (updated === 'is_default') throw defaultStays();
    if (updated === 'slug_taken')
      throw new CarrelError('conflict', 'Another session has this slug. Choose a different one.');
    if (!updated) throw noSuchSession();
    return updated;
  }

  async archive({ sessions }: SessionWorkspace, reference: string, archived: boolean): Promise<Session> {
    const session = await sessions.archive(reference, archived, Date.now());
    if (session === 'is_default') throw defaultStays();
    if (!session) throw noSuchSession();
    return session;
  }

  /** @throws CarrelError `not_found` for a session or a key that is not there */
  async getState(
    { state }: SessionWorkspace,
    input: { reference: string | undefined; key: string; offset: number | undefined },
  ): Promise<StateValue> {
    const { session, entry } = await state.get(input.reference, input.key);
    if (!entry) throw new CarrelError('not_found', 'This session has no such key. `state_list` shows its keys.');
    const { key, version, updatedAt } = entry;
    // A result says everything twice, as text and as structured content, and in the latter a part is a
    // JSON text within JSON: it may be twice as long there.
    const room = Math.floor((OUTPUT_BUDGET_CHARACTERS - 2000) / 3);
    if (input.offset === undefined && entry.value.length <= (room * 3) / 2)
      return { session, key, version, updatedAt, value: JSON.parse(entry.value) as unknown, part: undefined };
    const offset = input.offset ?? 0;
    const end = offset + room;
    return {
      session,
      key,
      version,
      updatedAt,
      value: undefined,
      part: {
        text: entry.value.slice(offset, end),
        nextOffset: end < entry.value.length ? end : undefined,
        characters: entry.value.length,
      },
    };
  }

  /** @throws CarrelError `not_found` for a session, `too_large`, or `conflict` when the version is not the expected one */
  async setState(
    { state }: SessionWorkspace,
    input: { reference: string | undefined; key: string; value: unknown; expectedVersion: number | undefined },
  ): Promise<{ session: SessionRef; version: number; bytes: number }> {
    const json = JSON.stringify(input.value);
    const bytes = byteLength(json);
    if (bytes > MAX_VALUE_BYTES)
      throw new CarrelError('too_large', 'A state value has at most 256 KB as JSON. Keep larger things as files.', {
        details: { bytes, limit: MAX_VALUE_BYTES },
      });
    const written = await state.set(input.reference, input.key, json, input.expectedVersion, Date.now());
    if (written.outcome === 'version_differs') throw versionDiffers(written.version);
    return { session: written.session, version: written.version, bytes };
  }

  async deleteState(
    { state }: SessionWorkspace,
    input: { reference: string | undefined; key: string; expectedVersion: number | undefined },
  ): Promise<{ session: SessionRef; deleted: boolean }> {
    const written = await state.delete(input.reference, input.key, input.expectedVersion, Date.now());
    if (written.outcome === 'version_differs') throw versionDiffers(written.version);
    return { session: written.session, deleted: written.version > 0 };
  }

  async listState(
    { state }: SessionWorkspace,
    input: { reference: string | undefined; prefix: string; limit: number; cursor: string | undefined },
  ): Promise<{ session: SessionRef; entries: readonly StateSummary[]; nextCursor: string | undefined }> {
    const after = placeOf(input.cursor, 1);
    const page = await state.list(input.reference, {
      prefix: input.prefix,
      limit: input.limit,
      after: after && String(after[0]),
    });
    const entries = itemsWithinBudget(page.entries);
    const next = entries.length < page.entries.length ? entries.at(-1)?.key : page.next;
    return { session: page.session, entries, nextCursor: next === undefined ? undefined : encodeCursor([next]) };
  }
}

function versionDiffers(version: number): CarrelError {
  return new CarrelError(
    'conflict',
    version === 0
      ? 'The key is not there now. To write it as a new one, expect version 0.'
      : `The key has version ${version} now. Read it again, merge, and expect that version.`,
    { details: { version } },
  );
}
