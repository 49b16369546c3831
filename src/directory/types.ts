export const ROLES = ['owner', 'admin', 'member', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** Someone who can sign in. */
export interface Person {
  readonly id: string;
  /** As the identity provider gave it; undefined when it gave none. Never used to tell persons apart. */
  readonly email: string | undefined;
  readonly role: Role;
  /** ms since the epoch; undefined while the person may enter. */
  readonly disabledAt: number | undefined;
}

/** Who an identity provider says somebody is. */
export interface Identity {
  readonly provider: string;
  /** What the provider never gives to somebody else. */
  readonly subject: string;
  readonly email: string | undefined;
}

/** A browser that is signed in. */
export interface SignInSession {
  readonly person: Person;
  readonly provider: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}
