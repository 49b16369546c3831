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
  /** How its owner recognises it: an address, a name at the provider. */
  readonly label: string;
  /**
   * Of a passkey that was just made: what proves it from now on. Kept in one transaction with the
   * identity, because one without the other would lock its owner out.
   */
  readonly passkey?: PasskeyKey | undefined;
}

/** What an authenticator proves a passkey with. */
export interface PasskeyKey {
  /** The COSE key, in base64url. */
  readonly publicKey: string;
  /** How often the authenticator says that it was used; many always say 0. */
  readonly counter: number;
  readonly transports: readonly string[];
}

/** A passkey of a person. */
export interface Passkey extends PasskeyKey {
  /** base64url, as the authenticator says it. */
  readonly credentialId: string;
  readonly personId: string;
  readonly name: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number | undefined;
}

/** An identity with what decides whether a stranger may enter. */
export interface Vouched extends Identity {
  /** Whether the provider has seen to it that the address is theirs. Only then it admits anybody. */
  readonly emailVerified: boolean;
  readonly groups: readonly string[];
}

/** An identity of a person, for the person's own page. */
export interface LinkedIdentity extends Omit<Identity, 'email' | 'passkey'> {
  readonly personId: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number | undefined;
}

/** A link that lets one person in, once. */
export interface Invitation {
  readonly id: string;
  readonly role: Exclude<Role, 'owner'>;
  /** For whom it is, in the words of whoever made it. */
  readonly note: string;
  readonly createdBy: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedBy: string | undefined;
}

/** A sign-in that has begun at a provider or an authenticator. */
export interface SignInAttempt {
  readonly provider: string;
  /** What the provider wants back, as JSON. */
  readonly kept: string;
}

/** A browser that is signed in. */
export interface SignInSession {
  readonly person: Person;
  readonly provider: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** A browser that is signed in, as its person sees it. */
export interface BrowserSession {
  /** The hash of its secret: it tells sessions apart and opens nothing. */
  readonly id: string;
  readonly provider: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A person, as those who run the deployment see them. */
export interface PersonEntry extends Person {
  /** ms since the epoch. */
  readonly createdAt: number;
  /** ms since the epoch; undefined where nothing of it is kept any more. */
  readonly lastSignInAt: number | undefined;
}

/** What is written to the audit. Names are of what happened, in the past. */
export const AUDIT_ACTIONS = [
  'signed_in',
  'sign_in_refused',
  'person_admitted',
  'owner_claimed',
  'identity_linked',
  'identity_removed',
  'recovery_codes_made',
  'recovery_code_used',
  'invitation_made',
  'invitation_withdrawn',
  'invitation_refused',
  'role_changed',
  'person_disabled',
  'person_enabled',
  'person_deleted',
  'metadata_read',
  'client_registered',
  'registration_refused',
  'device_code_made',
  'device_code_refused',
  'authorize_opened',
  'authorize_refused',
  'consent_given',
  'consent_denied',
  'consent_refused',
  'code_exchanged',
  'token_refused',
  'grant_first_used',
  'grant_narrowed',
  'grant_revoked',
  'token_made',
  'refresh_token_reused',
  'token_ended',
  'sessions_ended',
  'share_made',
  'share_ended',
  'approval_asked',
  'approval_given',
  'approval_denied',
  'approval_expired',
  'approval_rule_changed',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** One line of the audit. `detail` holds names and reasons of ours, never a secret and never text from outside. */
export interface AuditEntry {
  readonly action: AuditAction;
  readonly personId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly grantId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

export interface AuditLine extends Required<Pick<AuditEntry, 'action'>> {
  readonly id: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly personId: string | undefined;
  readonly clientId: string | undefined;
  readonly grantId: string | undefined;
  readonly requestId: string | undefined;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}
