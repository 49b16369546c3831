/** Shares that one person may have at a time. */
export const MAX_SHARES = 100;
/** Wrong passwords that a share takes within {@link GUESS_MS}. */
export const MAX_GUESSES = 10;
export const GUESS_MS = 15 * 60_000;

/** What a share gives: a file, its newest version; or what is in a folder, with its slash, empty for all of a session. */
export type ShareTarget = { readonly fileId: string } | { readonly session: string; readonly folder: string };

export interface NewShare {
  readonly id: string;
  readonly target: ShareTarget;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** How often it may be downloaded; undefined for any number. */
  readonly maxUses: number | undefined;
  /** As it was typed. Only a hash is kept. */
  readonly password: string | undefined;
}

/** What a visitor's request finds. */
export interface FoundShare {
  readonly target: ShareTarget;
  readonly isLocked: boolean;
  readonly expiresAt: number;
  /** Undefined for any number. */
  readonly usesLeft: number | undefined;
}

/** A share for the person who made it. */
export interface ShareEntry {
  readonly id: string;
  /** Of a file, or of a folder with its slash; empty for all of the session. */
  readonly path: string;
  readonly session: string;
  readonly isLocked: boolean;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt: number | undefined;
  readonly uses: number;
  readonly maxUses: number | undefined;
}
