import { WorkflowEntrypoint } from 'cloudflare:workers';
import type { WorkflowEvent, WorkflowStep } from 'cloudflare:workers';

import type { DurableSteps, Runner, RunReference } from './durable.ts';

/** Longer than any step works; a run that is silent is taken up long before. */
const STEP_TIMEOUT = '15 minutes';
const FIRST_DELAY = '2 seconds';

/** One run of a job, as Cloudflare Workflows runs it. */
export abstract class JobRunWorkflow<Env> extends WorkflowEntrypoint<Env, RunReference> {
  protected abstract work(reference: RunReference, steps: DurableSteps): Promise<void>;

  override async run({ payload }: Readonly<WorkflowEvent<RunReference>>, step: WorkflowStep): Promise<void> {
    await this.work(payload, {
      do: async <Result>(name: string, retries: number, work: () => Promise<Result>) => {
        const config = {
          retries: { limit: retries, delay: FIRST_DELAY, backoff: 'exponential' },
          timeout: STEP_TIMEOUT,
        } as const;
        // As text: what a step gives is plain JSON, which the types of the platform cannot be told.
        return JSON.parse(await step.do(name, config, async () => JSON.stringify((await work()) ?? null))) as Result;
      },
      sleepUntil: async (name, until) => step.sleepUntil(name, new Date(until)),
    });
  }
}

/** Begins runs as instances of a Workflow. */
export class WorkflowRunner implements Runner {
  readonly #workflow: Workflow<RunReference>;

  constructor(workflow: Workflow<RunReference>) {
    this.#workflow = workflow;
  }

  async launch(runs: readonly RunReference[]): Promise<void> {
    // One by one: a batch fails as a whole where one of them is there already.
    await Promise.allSettled(
      runs.map(async (run) => this.#workflow.create({ id: `${run.jobId}-${run.run}`, params: { ...run } })),
    );
  }
}
