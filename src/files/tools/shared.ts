import * as z from 'zod';

import { session } from '../../sessions/model.ts';
import { fileReference, IF_EXISTS, tags } from '../model.ts';
import type { FileEntry } from '../model.ts';
import { showFile } from '../shown.ts';
import type { ShownFile } from '../shown.ts';

export const file = fileReference.describe('Id, or path in the session');
export const ifExists = z.enum(IF_EXISTS).default('new_version').describe('If the path is taken');
export const newTags = tags.optional();
export const ofSession = session;

export const isoTime = (milliseconds: number) => new Date(milliseconds).toISOString();

/** A file in one line of text. */
export function line({ id, path, type, size, version, tags: marks, updated_at }: ShownFile): string {
  const also = [version > 1 ? `, version ${version}` : '', marks ? `, tags ${marks.join(', ')}` : ''].join('');
  return `${path} (id ${id}, ${type}, ${size} bytes, ${updated_at}${also})`;
}

/** Files, each beside its session where they may be of several. */
export function showAll(entries: readonly FileEntry[], ofOneSession: boolean) {
  return entries.map((entry) => (ofOneSession ? showFile(entry) : { ...showFile(entry), session: entry.session }));
}
