import { FILE_SCHEMA, FileStore } from '../files/store.ts';
import { GRANT_SCHEMA } from '../oauth/store.ts';
import { StateStore } from '../sessions/state-store.ts';
import { SESSION_SCHEMA, SessionStore } from '../sessions/store.ts';
import type { Schema } from './schema.ts';
import type { Database } from './sql.ts';
import { WORKSPACE_SCHEMA } from './standing.ts';

/** The schema of a workspace, feature by feature, in the order in which they are brought up to date. */
export const SCHEMA: Schema = {
  workspace: WORKSPACE_SCHEMA,
  oauth: GRANT_SCHEMA,
  sessions: SESSION_SCHEMA,
  files: FILE_SCHEMA,
};

/**
 * The feature stores behind `open(caller)`: what is named here can be reached from the Worker, and
 * nothing else.
 *
 * @param scheduleSweep asks for the sweep of unfinished uploads, at the latest at a time (ms)
 */
export function createStores(db: Database, scheduleSweep: (due: number) => void) {
  const sessions = new SessionStore(db);
  const findSession = (reference: string | undefined) => sessions.find(reference);
  return {
    sessions,
    state: new StateStore(db, findSession),
    files: new FileStore(db, findSession, scheduleSweep),
  };
}

export type Stores = ReturnType<typeof createStores>;
