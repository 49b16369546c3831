import * as z from 'zod';

import { CarrelError } from '../lib/errors.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';
import { isNestedWithin } from '../lib/json.ts';
import { MAX_SLUG_LENGTH } from '../lib/slug.ts';

/** The session in which a tool works when none is named. Every workspace has it from the start. */
export const DEFAULT_SESSION_ID = 'ses_default';
export const DEFAULT_SESSION_SLUG = 'default';

const MAX_TITLE_LENGTH = 200;
const MAX_DESCRIPTION_LENGTH = 2000;
const MAX_KEY_LENGTH = 256;
/** Bytes of one state value as JSON. */
export const MAX_VALUE_BYTES = 256 * 1024;
export const MAX_PAGE = 200;

export type SessionRef = Readonly<z.output<typeof sessionRef>>;

export interface Session extends SessionRef {
  readonly description: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** ms since the epoch; null while the session is active. */
  readonly archivedAt: number | null;
}

/** What a caller gets who names a session that is not there, or is somebody else's. */
export const noSuchSession = () =>
  new CarrelError(
    'not_found',
    'There is no such session. Give its slug or id: `session_list` shows them, `session_open` makes one.',
  );

export interface StateEntry {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** 1 for a new key, one more with every write. */
  readonly version: number;
  readonly updatedAt: number;
}

export type StateSummary = Omit<StateEntry, 'value'> & { readonly bytes: number };

/** What is hidden from the person who reads it is hidden from no model. */
const visible = (text: string) => !hasHiddenText(text);
const HIDDEN = 'has a control character or one that cannot be seen';

/** How a caller names a session: its id, its slug or, where a session may be created, its title. */
export const sessionReference = z
  .string()
  .trim()
  .min(1, 'is empty')
  .max(MAX_TITLE_LENGTH, `has more than ${MAX_TITLE_LENGTH} characters`)
  .refine(visible, HIDDEN);

/** The argument with which most tools name the session they work in. */
export const session = sessionReference.optional().describe('Id or slug; else `default`');

/** What a result says of the session it worked in. */
export const sessionRef = z.object({ id: z.string(), slug: z.string(), title: z.string() });

export const sessionDescription = z
  .string()
  .max(MAX_DESCRIPTION_LENGTH, `has more than ${MAX_DESCRIPTION_LENGTH} characters`)
  .refine((text) => visible(text.replaceAll(/[\n\t]/g, ' ')), HIDDEN);
export const sessionSlug = z
  .string()
  .max(MAX_SLUG_LENGTH)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be lower-case letters, digits and single hyphens');
export const stateKey = z
  .string()
  .min(1, 'is empty')
  .max(MAX_KEY_LENGTH, `has more than ${MAX_KEY_LENGTH} characters`)
  .refine(visible, HIDDEN);

/** Levels of arrays and objects in a state value. */
const MAX_VALUE_DEPTH = 100;

/** Any JSON: what comes here was parsed from JSON already. */
export const stateValue = z
  .unknown()
  .refine((value) => value !== undefined, 'is missing')
  .refine((value) => isNestedWithin(value, MAX_VALUE_DEPTH), `is nested more than ${MAX_VALUE_DEPTH} levels deep`);
