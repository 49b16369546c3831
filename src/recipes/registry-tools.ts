import { isInputRequiredResult } from '@modelcontextprotocol/server';

import type { Json, StepContext, WorkContext } from '../jobs/definition.ts';
import { CarrelError } from '../lib/errors.ts';
import { randomName } from '../lib/ids.ts';
import { invalidArguments } from '../lib/invalid-arguments.ts';
import type { CallContext } from '../mcp/context.ts';
import { gatedCall } from '../mcp/define-tool.ts';
import type { Registry, Selection } from '../mcp/registry.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { StartedTask } from '../mcp/tasks.ts';
import type { RecipeTools } from './tool-port.ts';

const asks = () =>
  new CarrelError('unsupported', 'This tool asks its person something, and in a recipe there is nobody to ask.');

/** The toolset that recipes belong to: no recipe calls any of it, and what it has is made of these. */
const OWN = 'jobs';

/** The tools of a deployment for recipes, checked at each call as for any client: arguments, then the scope. */
export async function registryTools(registry: Registry): Promise<RecipeTools> {
  const toolsets = registry.toolsets.map(({ name }) => name).filter((name) => name !== OWN);
  const tools: Selection['tools'] =
    // Without any name an address selects all.
    toolsets.length === 0
      ? new Map()
      : (await registry.select(new URLSearchParams({ toolsets: toolsets.join() }))).tools;
  return {
    info: (name) => {
      const registered = tools.get(name);
      if (!registered) return undefined;
      const { tool, scope } = registered;
      return { scope, input: tool.input };
    },
    call: async (step, name, input) => (await outcome(step, name, input)).structured,
    // What is called so was let in where it was begun.
    outcome: async ({ gated: _gated, ...step }, name, input) => outcome(step, name, input),
  };

  async function outcome(
    { workspace, principal, origin, gated }: WorkContext & Partial<StepContext>,
    name: string,
    input: Readonly<Record<string, Json>>,
  ) {
    const registered = tools.get(name);
    if (!registered) throw new CarrelError('unsupported', `There is no tool \`${name}\` any more.`);
    const { tool, scope } = registered;
    const parsed = tool.input.safeParse(input);
    if (!parsed.success) throw invalidArguments(parsed.error, input, Object.keys(tool.input.shape));
    if (!principal.scopes.includes(scope))
      throw new CarrelError('forbidden', `\`${name}\` needs the permission ${scope}, which this job was not given.`, {
        details: { scope },
      });
    const context: CallContext = {
      workspace,
      principal,
      origin,
      requestId: randomName(),
      signal: new AbortController().signal,
      progress: async () => {},
      log: async () => {},
      ask: async () => {
        throw asks();
      },
      takesTasks: false,
      canAsk: () => false,
      accepted: () => undefined,
      answer: () => ({ kind: 'missing' }),
      state: () => undefined,
    };
    const run = async (admitted: OpenWorkspace) => {
      if (tool.needsCheck) await admitted.check();
      return tool.run(parsed.data, { ...context, workspace: admitted });
    };
    const isGated = tool.access === 'write' && gated !== undefined;
    const answered = await (isGated ? gated(gatedCall(tool, input, parsed.data), run) : run(workspace));
    if (isInputRequiredResult(answered) || answered instanceof StartedTask) throw asks();
    // As it would go over the wire: what is undefined is left out.
    return { structured: JSON.parse(JSON.stringify(answered.structured)) as Json, text: answered.text };
  }
}
