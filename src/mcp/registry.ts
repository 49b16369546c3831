import { CarrelError } from '../lib/errors.ts';
import type { Scope } from '../oauth/scopes.ts';
import type { Tool } from './define-tool.ts';
import type { ResourceFamily, Toolset } from './toolset.ts';

export interface RegisteredTool {
  readonly tool: Tool;
  readonly scope: string;
}

export interface RegisteredResource {
  readonly family: ResourceFamily;
  readonly scope: string;
}

/** What one connection may list and call. */
export interface Selection {
  readonly tools: ReadonlyMap<string, RegisteredTool>;
  readonly resources: readonly RegisteredResource[];
}

/** The toolsets of this deployment, and what of them a connection sees. */
export class Registry {
  readonly #toolsets: readonly Toolset[];
  readonly #selections = new Map<string, Selection>();

  /**
   * @param enabled names of toolsets, or undefined for those that are on by default
   * @throws TypeError for two tools or toolsets of one name
   */
  constructor(toolsets: readonly Toolset[], enabled?: readonly string[]) {
    this.#toolsets = toolsets.filter((toolset) => (enabled ? enabled.includes(toolset.name) : toolset.onByDefault));
    const names = [
      ...toolsets.map((toolset) => toolset.name),
      ...toolsets.flatMap((toolset) => toolset.tools.map((tool) => tool.name)),
    ];
    const duplicate = names.find((name, index) => names.indexOf(name) !== index);
    if (duplicate !== undefined) throw new TypeError(`two tools or toolsets are called ${duplicate}`);
  }

  /** Every scope a client can be granted here, in the order of the consent page. */
  get scopes(): readonly Scope[] {
    return this.#toolsets.flatMap((toolset) => [toolset.scopes.read, toolset.scopes.write]);
  }

  get toolsets(): readonly Toolset[] {
    return this.#toolsets;
  }

  /**
   * What `?toolsets=a,b` and `?readonly=true` leave. A convenience for the reader, who sees fewer
   * tools; what a client may do is decided by its scopes.
   *
   * @throws CarrelError `invalid_input` for a toolset that is not here or a `readonly` that is no boolean
   */
  select(query: URLSearchParams): Selection {
    const wanted = query.get('toolsets');
    const readonly = query.get('readonly') ?? 'false';
    const key = `${wanted ?? ''}\n${readonly}`;
    const known = this.#selections.get(key);
    if (known) return known;

    const names =
      wanted
        ?.split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '') ?? [];
    const available = this.#toolsets.map((toolset) => toolset.name).join(', ');
    for (const name of names)
      if (!this.#toolsets.some((toolset) => toolset.name === name))
        throw new CarrelError(
          'invalid_input',
          `The address names a toolset that is not here. There are: ${available}.`,
        );
    if (readonly !== 'true' && readonly !== 'false')
      throw new CarrelError('invalid_input', 'In the address, `readonly` must be `true` or `false`.');

    const selection = this.#build(names, readonly === 'true');
    // Only for what is valid, and not without end: names may be repeated in any order.
    if (this.#selections.size < 64) this.#selections.set(key, selection);
    return selection;
  }

  #build(names: readonly string[], readonly: boolean): Selection {
    const tools = new Map<string, RegisteredTool>();
    const resources: RegisteredResource[] = [];
    for (const toolset of this.#toolsets) {
      if (names.length > 0 && !names.includes(toolset.name)) continue;
      for (const tool of toolset.tools)
        if (!readonly || tool.annotations.readOnlyHint)
          tools.set(tool.name, { tool, scope: toolset.scopes[tool.access].name });
      for (const family of toolset.resources) resources.push({ family, scope: toolset.scopes.read.name });
    }
    return { tools, resources };
  }
}
