import type { Resource } from '@modelcontextprotocol/server';

import type { ScopePair } from '../oauth/scopes.ts';
import type { ToolContext } from './context.ts';
import type { Tool } from './define-tool.ts';

export interface ResourcePage {
  readonly resources: readonly Resource[];
  readonly nextCursor: string | undefined;
}

/** The text or the bytes (base64) of a resource. */
export type ResourceBody = { readonly mimeType: string } & ({ readonly text: string } | { readonly blob: string });

/** A family of MCP resources that a toolset brings. Reading needs the toolset's read scope. */
export interface ResourceFamily {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** RFC 6570 with one variable: `carrel://files/{id}`. */
  readonly uriTemplate: string;
  list(cursor: string | undefined, context: ToolContext): Promise<ResourcePage>;
  /** @throws CarrelError `not_found` when there is none of that name */
  read(variable: string, context: ToolContext): Promise<ResourceBody>;
}

/** A folder of tools with one pair of consent scopes. */
export interface Toolset {
  /** As in TOOLSETS and in `?toolsets=`. */
  readonly name: string;
  readonly scopes: ScopePair;
  /** Whether it is there when TOOLSETS is empty. */
  readonly onByDefault: boolean;
  readonly tools: readonly Tool[];
  readonly resources: readonly ResourceFamily[];
}

export interface ToolsetDefinition {
  readonly name: string;
  /** What its scopes let a client do, as the consent page says it. */
  readonly consent: { readonly title: string; readonly read: string; readonly write: string };
  readonly onByDefault?: boolean;
  readonly tools: readonly Tool[];
  readonly resources?: readonly ResourceFamily[];
}

/** Defines a toolset. Its scopes are named after it: `files:read` and `files:write`. */
export function defineToolset(definition: ToolsetDefinition): Toolset {
  const { name, consent } = definition;
  return {
    name,
    scopes: {
      read: { name: `${name}:read`, title: `Read ${consent.title}`, sentence: consent.read },
      write: { name: `${name}:write`, title: `Change ${consent.title}`, sentence: consent.write },
    },
    onByDefault: definition.onByDefault ?? true,
    tools: definition.tools,
    resources: definition.resources ?? [],
  };
}
