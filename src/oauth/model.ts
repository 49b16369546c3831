import type { AuthRequest } from '@cloudflare/workers-oauth-provider';

/** What a token carries besides its scopes, sealed by the OAuth library. */
export interface TokenProps {
  /** How the person is called on pages and by `whoami`; no means to tell persons apart. */
  readonly label: string;
}

/** What a token stands for. */
export interface TokenFacts {
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly props: TokenProps;
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
}
