import { CarrelError } from '../lib/errors.ts';
import type { Scope } from '../oauth/scopes.ts';
import type { Prompt } from './define-prompt.ts';
import type { Tool } from './define-tool.ts';
import type { Capability, FixedResource, ResourceFamily, Toolset, ToolsetContents } from './toolset.ts';

export interface RegisteredTool {
  readonly tool: Tool;
  readonly scope: string;
  /** Whether a list shows it; it can be called in any case. */
  readonly isListed: boolean;
}

export interface RegisteredResource {
  readonly resource: ResourceFamily | FixedResource;
  readonly scope: string;
}

export interface RegisteredPrompt {
  readonly prompt: Prompt;
  readonly scope: string;
}

/** What one connection may list and call. */
export interface Selection {
  readonly tools: ReadonlyMap<string, RegisteredTool>;
  readonly resources: readonly RegisteredResource[];
  readonly prompts: ReadonlyMap<string, RegisteredPrompt>;
  readonly capabilities: ReadonlySet<Capability | 'completions'>;
  /** What the server says of itself and of these toolsets. */
  readonly instructions: string;
}

const INSTRUCTIONS =
  "Carrel is this person's private workspace. It outlives this chat and is shared by all of their assistants.";

/** The toolsets of this deployment, and what of them a connection sees. */
export class Registry {
  readonly #toolsets: readonly Toolset[];
  readonly #selections = new Map<string, Selection>();

  /**
   * @param enabled names of toolsets, or undefined for those that are on by default
   * @throws TypeError for two toolsets of one name, or two tools or prompts in those that are not loaded later
   */
  constructor(toolsets: readonly Toolset[], enabled?: readonly string[]) {
    this.#toolsets = toolsets.filter((toolset) => (enabled ? enabled.includes(toolset.name) : toolset.onByDefault));
    refuseDuplicates('toolsets', toolsets);
    refuseDuplicateContents(toolsets.flatMap(({ contents }) => (typeof contents === 'function' ? [] : [contents])));
  }

  /** Every scope a client can be granted here, in the order of the consent page. */
  get scopes(): readonly Scope[] {
    return this.#toolsets.flatMap((toolset) => [toolset.scopes.read, toolset.scopes.write]);
  }

  get toolsets(): readonly Toolset[] {
    return this.#toolsets;
  }

  /** With what the MCP address lists every tool; undefined where it does so without. */
  get longQuery(): string | undefined {
    const isShort = this.#toolsets.some(({ core }) => core !== undefined);
    return isShort ? `?toolsets=${this.#toolsets.map(({ name }) => name).join(',')}` : undefined;
  }

  /**
   * What `?toolsets=a,b` and `?readonly=true` leave. A convenience for the reader, who sees fewer
   * tools; what a client may do is decided by its scopes.
   *
   * @throws CarrelError `invalid_input` for a toolset that is not here or a `readonly` that is no boolean
   */
  async select(query: URLSearchParams): Promise<Selection> {
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

    const chosen = this.#toolsets.filter(({ name }) => names.length === 0 || names.includes(name));
    const selection = build(
      await Promise.all(
        chosen.map(async ({ contents, ...toolset }) => ({
          ...toolset,
          core: names.length === 0 ? toolset.core : undefined,
          ...(typeof contents === 'function' ? await contents() : contents),
        })),
      ),
      readonly === 'true',
      this.longQuery,
    );
    // Only for what is valid, and not without end: names may be repeated in any order.
    if (this.#selections.size < 64) this.#selections.set(key, selection);
    return selection;
  }
}

type LoadedToolset = Omit<Toolset, 'contents'> & Required<ToolsetContents>;

function build(toolsets: readonly LoadedToolset[], readonly: boolean, longQuery = ''): Selection {
  refuseDuplicateContents(toolsets);
  const tools = new Map<string, RegisteredTool>();
  const resources: RegisteredResource[] = [];
  const prompts = new Map<string, RegisteredPrompt>();
  const capabilities = new Set<Capability | 'completions'>();
  for (const toolset of toolsets) {
    const scope = toolset.scopes.read.name;
    for (const tool of toolset.tools)
      if (!readonly || tool.annotations.readOnlyHint)
        tools.set(tool.name, {
          tool,
          scope: toolset.scopes[tool.access].name,
          isListed: toolset.core?.includes(tool.name) ?? true,
        });
    for (const capability of toolset.capabilities) capabilities.add(capability);
    // What belongs to tools that are not listed would lead to them.
    if (toolset.core?.length === 0) continue;
    for (const resource of toolset.resources) {
      resources.push({ resource, scope });
      if (resource.uriTemplate !== undefined && resource.complete) capabilities.add('completions');
    }
    for (const prompt of toolset.prompts) {
      prompts.set(prompt.name, { prompt, scope });
      if (Object.keys(prompt.complete).length > 0) capabilities.add('completions');
    }
  }
  const instructions = [INSTRUCTIONS, ...toolsets.map((toolset) => instructionsOf(toolset, longQuery))]
    .filter((line) => line !== '')
    .join('\n');
  return { tools, resources, prompts, capabilities, instructions };
}

/** Of tools that are not listed a model can only tell its person how they would be. */
function instructionsOf({ instructions, core }: LoadedToolset, longQuery: string): string {
  return core?.length === 0
    ? `More tools are listed where the address of this server ends with ${longQuery}. ${instructions}`
    : instructions;
}

function refuseDuplicateContents(contents: readonly Required<ToolsetContents>[]): void {
  for (const kind of ['tools', 'prompts'] as const)
    refuseDuplicates(
      kind,
      contents.flatMap<{ readonly name: string }>((each) => each[kind]),
    );
}

function refuseDuplicates(kind: string, things: readonly { readonly name: string }[]): void {
  const names = things.map(({ name }) => name);
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate !== undefined) throw new TypeError(`two ${kind} are called ${duplicate}`);
}
