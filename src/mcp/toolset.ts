import type { Resource } from '@modelcontextprotocol/server';

import type { ScopePair } from '../oauth/scopes.ts';
import type { RequestContext } from './context.ts';
import type { Completer, Prompt } from './define-prompt.ts';
import type { Tool } from './define-tool.ts';
import { refuseMisnamed } from './names.ts';

// What a toolset is written with, in one place.
export { definePrompt } from './define-prompt.ts';
export { CONTENT, CREATE, defineTool, DESTROY, READ, UPDATE } from './define-tool.ts';

export interface ResourcePage {
  readonly resources: readonly Resource[];
  readonly nextCursor: string | undefined;
}

/** The text or the bytes (base64) of a resource. */
type ResourceContent = { readonly text: string } | { readonly blob: string };
export type ResourceBody = { readonly mimeType: string } & ResourceContent;
/** Without a type of its own it has the one that it is listed with. */
type FixedResourceBody = { readonly mimeType?: string } & ResourceContent;

/** One MCP resource that is always there. Reading needs the toolset's read scope. */
export interface FixedResource {
  /** Of any scheme; those that are shipped have `carrel:`. */
  readonly uri: string;
  readonly uriTemplate?: undefined;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly mimeType: string;
  read(context: RequestContext): Promise<FixedResourceBody>;
}

/** A family of MCP resources. Reading needs the toolset's read scope. */
export interface ResourceFamily {
  readonly uri?: undefined;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** RFC 6570 with one variable: `carrel://carts/{id}`, or `{+path}` for one with slashes. */
  readonly uriTemplate: string;
  /** Its members; without it they are found by other means, such as a tool. */
  list?(cursor: string | undefined, context: RequestContext): Promise<ResourcePage>;
  readonly complete?: Completer;
  /** @throws CarrelError `not_found` when there is none of that name */
  read(variable: string, context: RequestContext): Promise<ResourceBody>;
}

/**
 * What a toolset does besides: `logging` sends messages for the client's log, `subscriptions` takes
 * subscriptions of 2025-era clients to its resources. A stateless endpoint has no stream to deliver
 * them on, so only a toolset that has another way should promise it.
 */
export type Capability = 'logging' | 'subscriptions';

/** What a client can use of a toolset. */
export interface ToolsetContents {
  readonly tools: readonly Tool[];
  readonly resources?: readonly (ResourceFamily | FixedResource)[];
  readonly prompts?: readonly Prompt[];
  readonly capabilities?: readonly Capability[];
}

/** A folder of tools with one pair of consent scopes. */
export interface Toolset {
  /** As in TOOLSETS and in `?toolsets=`. */
  readonly name: string;
  readonly scopes: ScopePair;
  /** Whether it is there when TOOLSETS is empty. */
  readonly onByDefault: boolean;
  readonly instructions: string;
  /** The tools that are listed where the address names no toolsets; undefined for all. */
  readonly core: readonly string[] | undefined;
  readonly contents: Required<ToolsetContents> | (() => Promise<Required<ToolsetContents>>);
}

interface ToolsetFrame {
  /** Told to a client when it connects: how these tools belong together, in a line or two. */
  readonly instructions?: string;
  /** What its scopes let a client do, as the consent page says it. */
  readonly consent: { readonly title: string; readonly read: string; readonly write: string };
  readonly onByDefault?: boolean;
  /**
   * The tools that are listed where the address names no toolsets, for one that has many: every conversation pays for
   * what is listed. The others can be called all the same, and `?toolsets=` lists them; where none is listed, prompts and
   * resources are left out as well. Left out, all.
   */
  readonly core?: readonly string[];
}

/** A toolset that is here, or one that is loaded when the first MCP request comes. */
export type ToolsetDefinition = ToolsetFrame & (ToolsetContents | { readonly load: () => Promise<ToolsetContents> });

/**
 * Defines a toolset. Its scopes are named after it: `files:read` and `files:write`.
 *
 * @param name one word
 * @throws TypeError for a name of another form
 */
export function defineToolset(name: string, definition: ToolsetDefinition): Toolset {
  refuseMisnamed('toolset', name);
  const { consent, onByDefault = true, instructions = '', core } = definition;
  return {
    name,
    scopes: {
      read: { name: `${name}:read`, title: `Read ${consent.title}`, sentence: consent.read },
      write: { name: `${name}:write`, title: `Change ${consent.title}`, sentence: consent.write },
    },
    onByDefault,
    instructions,
    core,
    contents: 'load' in definition ? loadedOnce(definition.load) : complete(definition),
  };
}

/** Addresses select toolsets in any order and as often as they like: none of that makes the schemas of all tools again. */
function loadedOnce(load: () => Promise<ToolsetContents>): () => Promise<Required<ToolsetContents>> {
  let loaded: Required<ToolsetContents> | undefined;
  return async () => {
    if (loaded) return loaded;
    const contents = complete(await load());
    // The value and not its promise: that is bound to the request that began it, and a failure would stay for ever.
    return (loaded ??= contents);
  };
}

const complete = ({ tools, resources = [], prompts = [], capabilities = [] }: ToolsetContents) => ({
  tools,
  resources,
  prompts,
  capabilities,
});
