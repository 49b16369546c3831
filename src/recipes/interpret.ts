import type { Json, JobRun } from '../jobs/definition.ts';
import { CarrelError } from '../lib/errors.ts';
import { holds } from './conditions.ts';
import { MAX_HELD_CHARACTERS, MAX_ITEMS, MAX_STEPS_DONE, MAX_VALUE_CHARACTERS } from './model.ts';
import type { ApproveStep, ForEachStep, ParallelStep, Plan, SleepStep, Step, ToolStep } from './model.ts';
import { Resolver, valueAt } from './references.ts';
import type { Reference } from './references.ts';
import type { RecipeTools } from './tool-port.ts';

/** What a run of a plan needs of its job. */
export type PlanRun = Pick<JobRun<unknown>, 'step' | 'progress' | 'sleepUntil' | 'now' | 'approve'>;

interface Loop {
  readonly id: string;
  readonly item: Json;
  readonly index: number;
}

/** A place of a run: what has been done there, and in which rounds of which loops it is. */
interface Place {
  /** Goes before the ids of steps to make their names, the same in every run: `fetch[3].`. */
  readonly prefix: string;
  readonly loops: readonly Loop[];
  /** What the steps gave that can be referred to here. */
  readonly given: Map<string, Json>;
}

/**
 * One run of a plan that was checked. It goes through the whole plan each time, and the job gives what finished steps gave:
 * what it does depends on nothing else than plan, inputs, and what its steps gave.
 */
export class PlanRunner {
  readonly #job: PlanRun;
  readonly #tools: Pick<RecipeTools, 'call'>;
  readonly #inputs: Readonly<Record<string, Json>>;
  #begun = 0;
  #ended = 0;
  #held = 0;

  constructor(job: PlanRun, tools: Pick<RecipeTools, 'call'>, inputs: Readonly<Record<string, Json>>) {
    this.#job = job;
    this.#tools = tools;
    this.#inputs = inputs;
  }

  /** @returns what the plan gives */
  async run({ steps, result }: Plan): Promise<Json> {
    const place: Place = { prefix: '', loops: [], given: new Map() };
    const last = await this.#list(steps, place);
    return result === undefined ? last : this.#resolver(place).value(result);
  }

  async #list(steps: readonly Step[], place: Place): Promise<Json> {
    let last: Json = null;
    for (const step of steps) {
      last = await this.#step(step, place);
      place.given.set(step.id, last);
    }
    return last;
  }

  async #step(step: Step, place: Place): Promise<Json> {
    switch (step.do) {
      case 'tool':
        return this.#tool(step, place);
      case 'parallel':
        return this.#parallel(step, place);
      case 'for_each':
        return this.#forEach(step, place);
      case 'when': {
        const list = holds(step.condition, this.#resolver(place)) ? step.steps : step.else;
        // What is in it may not have been done, so nothing outside refers to it.
        return this.#list(list, { ...place, given: new Map(place.given) });
      }
      case 'sleep':
        return this.#sleep(step, place);
      case 'approve':
        return this.#approve(step, place);
    }
  }

  async #tool({ id, tool, arguments: given }: ToolStep, place: Place): Promise<Json> {
    const name = this.#begin(id, place);
    const input = this.#resolver(place).value(given) as Readonly<Record<string, Json>>;
    const output = await this.#job.step(
      name,
      async (step) => bounded(await this.#tools.call(step, tool, input), name),
      {
        input: { tool, arguments: input },
      },
    );
    return this.#end(output);
  }

  /** All branches come to their end, also when one fails: what one does must not depend on how fast another is. */
  async #parallel({ branches }: ParallelStep, place: Place): Promise<Json> {
    const names = Object.keys(branches);
    const results = await Promise.allSettled(
      names.map(async (branch) => {
        const given = new Map(place.given);
        return { last: await this.#list(branches[branch] ?? [], { ...place, given }), given };
      }),
    );
    const ended = fulfilled(results);
    for (const { given } of ended) for (const [id, value] of given) place.given.set(id, value);
    return Object.fromEntries(names.map((branch, index) => [branch, ended[index]?.last ?? null]));
  }

  async #forEach({ id, items, concurrency, steps }: ForEachStep, place: Place): Promise<Json> {
    const list = this.#resolver(place).value(items);
    if (!Array.isArray(list))
      throw new CarrelError('invalid_input', `What \`${place.prefix}${id}\` should go through is no list.`);
    if (list.length > MAX_ITEMS)
      throw new CarrelError('too_large', `\`${place.prefix}${id}\` has ${list.length} items, at most ${MAX_ITEMS}.`);
    const results: PromiseSettledResult<Json>[] = [];
    let next = 0;
    let failed = false;
    const work = async (): Promise<void> => {
      while (next < list.length && !failed) {
        const index = next++;
        const round = {
          prefix: `${place.prefix}${id}[${index}].`,
          loops: [...place.loops, { id, item: list[index] as Json, index }],
          given: new Map(place.given),
        };
        const [result] = await Promise.allSettled([this.#list(steps, round)]);
        results[index] = result;
        // Rounds that have begun come to their end, others do not begin.
        failed ||= result.status === 'rejected';
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, work));
    return fulfilled(results.filter((result) => result !== undefined));
  }

  async #sleep({ id, seconds, until }: SleepStep, place: Place): Promise<Json> {
    const name = this.#begin(id, place);
    if (until === undefined)
      await this.#job.sleepUntil(name, (await this.#job.now(`${name}.begun`)) + (seconds ?? 0) * 1000);
    else await this.#job.sleepUntil(name, timeOf(this.#resolver(place).value(until), name));
    return this.#end(null);
  }

  async #approve({ id, summary, details, files, hours }: ApproveStep, place: Place): Promise<Json> {
    const name = this.#begin(id, place);
    const resolver = this.#resolver(place);
    const said = resolver.value(summary);
    const affected = resolver.value(files);
    if (typeof said !== 'string' || said.trim() === '')
      throw new CarrelError('invalid_input', `The summary of \`${name}\` is no text.`);
    if (!Array.isArray(affected) || !affected.every((file) => typeof file === 'string'))
      throw new CarrelError('invalid_input', `The files of \`${name}\` are no list of ids.`);
    await this.#job.approve(name, {
      summary: said.slice(0, 500),
      action: 'recipe_run',
      arguments: { step: name, details: resolver.value(details) },
      ...(affected.length === 0 ? {} : { files: affected }),
      within: Math.round(hours * 3_600_000),
    });
    return this.#end({ approved: true });
  }

  /** @returns the name of the step, the same in every run and of no other */
  #begin(id: string, { prefix }: Place): string {
    this.#begun += 1;
    if (this.#begun > MAX_STEPS_DONE)
      throw new CarrelError('too_large', `The recipe does more than ${MAX_STEPS_DONE} steps. Do less in one run.`);
    return `${prefix}${id}`;
  }

  #end(value: Json): Json {
    this.#held += JSON.stringify(value).length;
    if (this.#held > MAX_HELD_CHARACTERS)
      throw new CarrelError('too_large', 'What the steps of the recipe gave is more than 16 MB together.');
    this.#ended += 1;
    this.#job.progress(this.#ended);
    return value;
  }

  #resolver({ loops, given }: Place): Resolver {
    return new Resolver(({ root, path }: Reference) => {
      if (root === 'inputs') return valueAt(this.#inputs, path);
      if (root === 'item') return valueAt(loops.at(-1)?.item, path);
      if (root === 'index') return loops.at(-1)?.index;
      const [id, ...deeper] = path;
      if (root === 'steps') return valueAt(typeof id === 'string' ? given.get(id) : undefined, deeper);
      const loop = loops.find((each) => each.id === id);
      return loop && valueAt({ item: loop.item, index: loop.index }, deeper);
    });
  }
}

/**
 * What all gave. Of several that failed, what is wrong for good comes first, in the order of the plan: another may only be a run that
 * ends here to go on later.
 */
function fulfilled<Result>(results: readonly PromiseSettledResult<Result>[]): Result[] {
  const reasons = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
  if (reasons.length > 0) throw reasons.find((reason) => reason instanceof CarrelError) ?? reasons[0];
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

function bounded(output: Json, name: string): Json {
  if (JSON.stringify(output).length > MAX_VALUE_CHARACTERS)
    throw new CarrelError(
      'too_large',
      `What \`${name}\` gave is more than 250,000 characters. Ask its tool for less at a time.`,
    );
  return output;
}

/** @param value ISO 8601 with a time zone, as results of tools have it */
function timeOf(value: Json, name: string): number {
  const time = typeof value === 'string' && /T.*(?:Z|[+-]\d\d:?\d\d)$/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time))
    throw new CarrelError('invalid_input', `\`${name}\` has no time to wait for, such as 2030-01-31T08:00:00Z.`);
  return time;
}
