import type { ApprovalRequest, Json, StepContext } from '../../src/jobs/definition.ts';
import type { PlanRun } from '../../src/recipes/interpret.ts';
import type { RecipeTools } from '../../src/recipes/tool-port.ts';

/** What ends a run from outside: the machine stopped. */
class Crash extends Error {}

interface Call {
  readonly tool: string;
  readonly input: Readonly<Record<string, Json>>;
}

/**
 * A job whose machine stops as often as it is told, and is started again: what steps gave is kept, as an engine does, and
 * what a step did before it could say so is done again under its name. Time is its own.
 */
export class CrashingJob {
  /** What was done, under the name of its step, in the order in which it was first done. */
  readonly effects = new Map<string, Call>();
  readonly approvals: ApprovalRequest[] = [];
  readonly sleeps: string[] = [];
  /** What repeated a step with something else than before: nothing may. */
  readonly deviations: string[] = [];
  now = Date.parse('2026-11-20T08:00:00Z');
  runs = 0;
  /** How many steps were under way at once. */
  widest = 0;
  readonly #kept = new Map<string, Json>();
  readonly #crashes: () => boolean;
  readonly #answer: (tool: string, input: Call['input'], name: string) => Json;
  readonly #approve: (request: ApprovalRequest) => void;
  #underWay = 0;

  constructor({
    crashes = () => false,
    answer = (_tool, input) => input,
    approve = () => undefined,
  }: {
    /** Asked twice a step: before it does something, and before it can say so. */
    readonly crashes?: () => boolean;
    readonly answer?: (tool: string, input: Call['input'], name: string) => Json;
    /** Throws to refuse. */
    readonly approve?: (request: ApprovalRequest) => void;
  } = {}) {
    this.#crashes = crashes;
    this.#answer = answer;
    this.#approve = approve;
  }

  /** Runs until it is not stopped any more. */
  async complete(work: (job: PlanRun, tools: Pick<RecipeTools, 'call'>) => Promise<Json>): Promise<Json> {
    for (;;) {
      this.runs += 1;
      if (this.runs > 10_000) throw new Error('it never comes to an end');
      try {
        return await work(this.#run(), { call: async (step, tool, input) => this.#call(step, tool, input) });
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }
  }

  #call(step: StepContext, tool: string, input: Call['input']): Json {
    const name = step.origin;
    const before = this.effects.get(name);
    if (before && JSON.stringify(before) !== JSON.stringify({ tool, input })) this.deviations.push(name);
    const given = this.#answer(tool, input, name);
    if (!before) this.effects.set(name, { tool, input });
    return given;
  }

  #run(): PlanRun {
    let stopped = false;
    const stops = () => {
      stopped ||= this.#crashes();
      if (stopped) throw new Crash();
    };
    const once = async <Result extends Json>(name: string, work: () => Promise<Result>): Promise<Result> => {
      if (name.length > 200) throw new Error(`the name of a step is too long: ${name}`);
      const kept = this.#kept.get(name);
      if (kept !== undefined) return kept as Result;
      this.#underWay += 1;
      this.widest = Math.max(this.widest, this.#underWay);
      try {
        // Others go on meanwhile, in whatever order.
        for (let turns = name.length % 3; turns >= 0; turns--) await Promise.resolve();
        stops();
        const given = await work();
        stops();
        this.#kept.set(name, given);
        return given;
      } finally {
        this.#underWay -= 1;
      }
    };
    return {
      step: async (name, work) => once(name, async () => work({ origin: name } as StepContext)),
      progress: () => undefined,
      now: async (name) => once(`now ${name}`, async () => this.now),
      sleepUntil: async (name, until) => {
        await once(`sleep ${name}`, async () => {
          this.now = Math.max(this.now, until);
          this.sleeps.push(name);
          return true;
        });
      },
      approve: async (name, request) => {
        await once(`approve ${name}`, async () => {
          this.approvals.push(request);
          this.#approve(request);
          return true;
        });
      },
    };
  }
}
