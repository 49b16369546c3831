/** One permission that a person can give a client. */
export interface Scope {
  /** As in OAuth: `files:read`. */
  readonly name: string;
  readonly title: string;
  /** What it lets the client do, in plain words for the consent page. */
  readonly sentence: string;
}

/** The two scopes of a toolset. */
export interface ScopePair {
  readonly read: Scope;
  readonly write: Scope;
}
