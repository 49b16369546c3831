import type { CallIntent } from '../approvals/model.ts';
import type { ErrorCode, ErrorDetails } from '../lib/errors.ts';
import type {
  AuthorizeInput,
  ClientCredentials,
  GrantSummary,
  Narrowing,
  PersonalToken,
  TokenFacts,
} from '../oauth/model.ts';
import type { Stores } from './features.ts';
import type { Standing } from './standing.ts';

/** On whose behalf a request reaches a workspace. Checked there, on every request. */
export type Caller = {
  /** A further call of a request that was let in: it does not count as another, nor can it be one too many. */
  readonly continues?: true;
  /** What it is about to change, where the person may want to be asked first. */
  readonly asks?: CallIntent | undefined;
} &
  /** A client with an access token. */
  (
    | { readonly kind: 'token'; readonly grantId: string; readonly tokenHash: string }
    /** The holder of a signed address, which lives no longer than the grant that minted it has this scope. */
    | { readonly kind: 'address'; readonly grantId: string; readonly scope: string }
    /** A visitor with the address of a share that somebody made of what is theirs. */
    | { readonly kind: 'share'; readonly shareId: string }
    /** A step of a run of a job, which works with the access that the job was given. */
    | {
        readonly kind: 'job';
        readonly jobId: string;
        readonly run: number;
        /** Empty for what the run says of itself. */
        readonly step: string;
        /** Which call of this method it is within the step: repeated, it writes nothing more. */
        readonly call?: string;
      }
    /** The person, signed in in a browser: whoever opens it so has seen their session. */
    | { readonly kind: 'person' }
  );

/** How a workspace answers a call: with a value, or with an error that its caller should know. */
export type CallOutcome =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      /** Whether the caller was let in, and what it asked for failed. */
      readonly admitted: boolean;
      readonly error: { readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails };
    };

type Method = (...parameters: never[]) => unknown;

/** A store as it is seen from the Worker: the same methods, each a round trip. */
export type Remote<Store> = {
  readonly [Name in keyof Store as Store[Name] extends Method ? Name : never]: Store[Name] extends (
    ...parameters: infer Parameters
  ) => infer Result
    ? (...parameters: Parameters) => Promise<Awaited<Result>>
    : never;
};

/**
 * A workspace that was opened for a caller. Each call of a store's method is one round trip, which
 * also checks the caller; a refused one is a CarrelError `unauthenticated`.
 */
export type OpenWorkspace = { readonly [Name in Exclude<keyof Stores, 'upkeep'>]: Remote<Stores[Name]> } & {
  /** Checks the caller and does nothing else. */
  check(): Promise<void>;
  /** The same for a call that changes something: its first round trip is refused where a rule of the person asks. */
  asking(intent: CallIntent): OpenWorkspace;
};

/** What a workspace says of itself to `/readyz`. */
export interface WorkspaceHealth {
  readonly schema: Readonly<Record<string, number>>;
}

/** The workspaces of this deployment. */
export interface Workspaces {
  open(workspaceId: string, caller: Caller): OpenWorkspace;
  /** Runs the OAuth library in the person's object: code exchange, refresh, revocation. */
  token(personId: string, request: Request, requestId: string): Promise<Response>;
  authorize(input: AuthorizeInput): Promise<string>;
  /** Makes a grant and answers with its first tokens, for a client on a device without a browser. */
  authorizeDevice(
    input: AuthorizeInput & { readonly deviceHash: string },
    credentials: ClientCredentials,
    requestId: string,
  ): Promise<Response>;
  /** Whether the person lets this client do this now: it has a grant with this redirect and these scopes. */
  holdsGrant(personId: string, clientId: string, redirectUri: string, scopes: readonly string[]): Promise<boolean>;
  describeToken(personId: string, token: string, origin: string): Promise<TokenFacts | undefined>;
  /** What the person lets clients do, newest first. */
  listGrants(personId: string): Promise<GrantSummary[]>;
  describePersonalToken(personId: string, grantId: string, tokenHash: string): Promise<TokenFacts | undefined>;
  personalTokens(personId: string): Promise<readonly PersonalToken[]>;
  /** @returns false when the person has as many as one may have */
  addPersonalToken(personId: string, token: Omit<PersonalToken, 'lastUsedAt'>, tokenHash: string): Promise<boolean>;
  removePersonalToken(personId: string, grantId: string): Promise<boolean>;
  /**
   * Ends a grant, and what its client was allowed and has not come for.
   *
   * @returns whether this call ended it: of several at the same time, one is told true
   */
  revokeGrant(personId: string, grantId: string): Promise<boolean>;
  /**
   * Leaves a grant only these of its scopes, from its next request on.
   *
   * @returns what was written, with nothing left where nothing was; undefined when there is no such grant
   */
  narrowGrant(personId: string, grantId: string, scopes: readonly string[]): Promise<Narrowing | undefined>;
  writeStanding(personId: string, standing: Standing): Promise<void>;
  /**
   * Removes all that is in a workspace, grants as well, for good.
   *
   * @returns how many objects were in the bucket
   */
  wipe(workspaceId: string): Promise<number>;
  /** The index of the files without a caller: for the operator, who is shown no content. */
  upkeep(workspaceId: string): Remote<Stores['upkeep']>;
  health(workspaceId: string): Promise<WorkspaceHealth>;
}
