import type { AuditTrail } from '../directory/audit.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { OpenWorkspace, Workspaces } from '../workspace/client.ts';
import type { JobDefinition } from './definition.ts';
import type { DurableSteps, RunReference } from './durable.ts';
import { isRunOver, MAX_VALUE_CHARACTERS } from './model.ts';
import type { JobError } from './model.ts';
import { Run } from './run.ts';

interface JobEngineOptions {
  readonly workspaces: Pick<Workspaces, 'open'>;
  readonly definitions: () => Promise<ReadonlyMap<string, JobDefinition>>;
  readonly telemetry: Telemetry;
  readonly audit: Pick<AuditTrail, 'record'>;
  /** How long a run may be silent, in ms. */
  readonly patience: number;
}

/** Runs jobs. */
export class JobEngine {
  readonly #options: JobEngineOptions;

  constructor(options: JobEngineOptions) {
    this.#options = options;
  }

  /**
   * One run of a job, until it ends or waits. It never throws for what the job did wrong: that is in its record. What ends
   * a run otherwise (a crash, storage that fails) is noticed by the workspace, which begins another.
   */
  async run(reference: RunReference, durable: DurableSteps): Promise<void> {
    const { workspaces, definitions, patience, audit } = this.#options;
    const open = (step: string): OpenWorkspace =>
      workspaces.open(reference.workspaceId, { kind: 'job', jobId: reference.jobId, run: reference.run, step });
    const { runs } = open('');
    try {
      const start = await runs.begin(reference.jobId, patience, Date.now());
      const definition = (await definitions()).get(start.definition);
      const run = await Run.begin({ reference, start, open, durable, patience, audit });
      const ended = definition
        ? await run.until(() => this.#work(definition, run, start.input))
        : { error: { code: 'unsupported', message: 'This release has no such kind of job.' } as const };
      if (ended === undefined) return;
      if ('waiting' in ended) await runs.suspend(reference.jobId, ended.waiting, run.takeProgress(), Date.now());
      else
        await durable.do('job ends', 10, async () =>
          unlessOver(
            'error' in ended
              ? runs.fail(reference.jobId, ended.error, Date.now())
              : runs.complete(reference.jobId, ended.result, run.takeProgress(), Date.now()),
          ),
        );
    } catch (error) {
      if (!isRunOver(error)) throw error;
    }
  }

  async #work(
    definition: JobDefinition,
    run: Run,
    input: string,
  ): Promise<{ readonly result: string } | { readonly error: JobError }> {
    try {
      const given = definition.input.parse(JSON.parse(input));
      const result = JSON.stringify(definition.output.parse(await definition.run(run.of(given) as never)));
      if (result.length > MAX_VALUE_CHARACTERS)
        throw new CarrelError('too_large', 'The result is larger than a job may keep. The job should write a file.');
      return { result };
    } catch (thrown) {
      const { code, message, details } = asCarrelError(thrown);
      if (code === 'internal') this.#options.telemetry.record({ type: 'job_failed', job: run.jobId, error: thrown });
      return { error: { code, message, details, ...(run.failedStep === undefined ? {} : { step: run.failedStep }) } };
    }
  }
}

/** That a run is over is no reason to try again: its end was said before and the word of it lost, or another one goes on. */
async function unlessOver(said: Promise<void>): Promise<void> {
  try {
    await said;
  } catch (thrown) {
    if (!isRunOver(thrown)) throw thrown;
  }
}
