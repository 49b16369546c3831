import type { AuthRequest } from '@cloudflare/workers-oauth-provider';

/** What a token carries besides its scopes, sealed by the OAuth library. */
export interface TokenProps {
  /** How the person is called on pages and by `whoami`; no means to tell persons apart. */
  readonly label: string;
}

/** The grant type of devices without a browser (RFC 8628 §3.4). */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** What stands for a redirect where there is none: the page on which people enter the code of a device. */
export const deviceRedirect = (origin: string): string => `${origin}/device`;

/** Days that a personal token may live at most. */
export const MAX_PERSONAL_TOKEN_DAYS = 365;

/** Days that a personal token may live, as its page offers them. */
export const PERSONAL_TOKEN_LIFETIMES = [7, 30, 90, MAX_PERSONAL_TOKEN_DAYS] as const;

/** What a request with a personal token says its client is. */
export const PERSONAL_TOKEN_CLIENT = 'personal-access-token';

/** A token that a person made for a script. */
export interface PersonalToken {
  /** `pat_…`: it stands where others have their grant. */
  readonly grantId: string;
  readonly name: string;
  /** How the person is called on pages and by `whoami`. */
  readonly label: string;
  readonly scopes: readonly string[];
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** To the hour; undefined for never. */
  readonly lastUsedAt: number | undefined;
}

/** What a token stands for. */
export interface TokenFacts {
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly props: TokenProps;
}

/** What a person lets a client do, as the person sees it. */
export interface GrantSummary {
  readonly grantId: string;
  readonly clientId: string;
  readonly redirectUri: string | undefined;
  readonly scopes: readonly string[];
  /** ms since the epoch. */
  readonly createdAt: number;
  /** When it ends unless its client comes back, ms since the epoch: each return moves it. */
  readonly expiresAt: number | undefined;
  /** To the hour, ms since the epoch; undefined for never. */
  readonly lastUsedAt: number | undefined;
}

/** What a person left a client and took from it. */
export interface Narrowing {
  readonly left: readonly string[];
  readonly taken: readonly string[];
}

/** A client's request that a person approved. */
export interface AuthorizeInput {
  readonly origin: string;
  readonly request: AuthRequest;
  /** The person's id as it stands in tokens. */
  readonly outwardPerson: string;
  readonly personId: string;
  readonly scopes: readonly string[];
  readonly props: TokenProps;
  /** Which device it is for, if it is for one. */
  readonly deviceHash?: string;
}

/** What a client showed of itself at the token endpoint, besides its id. */
export interface ClientCredentials {
  /** HTTP Basic. */
  readonly authorization: string | null;
  readonly secret: string | null;
}
