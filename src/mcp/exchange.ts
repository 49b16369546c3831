import type { McpServer } from '@modelcontextprotocol/server';

import type { Gatekeeper } from '../approvals/gate.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { RequestContext } from './context.ts';
import type { Selection } from './registry.ts';
import type { Rounds } from './rounds.ts';
import type { Tasks } from './tasks.ts';

/** One request to the MCP endpoint. */
export interface McpRequest {
  readonly request: Request;
  /** The body, when it is JSON. */
  readonly body: unknown;
  readonly token: string;
  /** Seconds since the epoch. */
  readonly tokenExpiresAt: number;
  readonly context: RequestContext;
  readonly selection: Selection;
  /** Where the metadata of this resource is, for the challenges. */
  readonly resourceMetadataUrl: string;
}

/** `legacy` is MCP up to 2025-11-25, `modern` from 2026-07-28 on. */
export type Era = 'legacy' | 'modern';

/** One request with the server that was made for it: what the parts of this folder add to. */
export interface Exchange extends McpRequest {
  readonly server: McpServer;
  readonly era: Era;
  readonly rounds: Rounds;
  readonly telemetry: Telemetry;
  /** Undefined where no toolset has work that goes on. */
  readonly tasks: (() => Promise<Tasks>) | undefined;
  /** Loaded where a rule of the person holds a call up. */
  readonly approvals: () => Promise<Gatekeeper>;
}
