import type { OpenWorkspace } from '../workspace/client.ts';

/** Who is behind a request that bears an access token. */
export interface Principal {
  readonly personId: string;
  /** The workspace that the request works in: today always the person's own. */
  readonly workspaceId: string;
  readonly grantId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** How the person is called on pages. */
  readonly label: string;
}

/** What a tool gets besides its input. */
export interface ToolContext {
  readonly principal: Principal;
  readonly workspace: OpenWorkspace;
  /** The origin of this deployment, for addresses that a result names. */
  readonly origin: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
}
