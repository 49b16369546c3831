import type { GatedCall } from '../approvals/gate.ts';
import { auditDetail, claimOfStep } from '../approvals/model.ts';
import type { Asker, JobApproval } from '../approvals/model.ts';
import type { AuditTrail } from '../directory/audit.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import { canonicalJson } from '../lib/json.ts';
import type { Principal } from '../mcp/context.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import * as z from 'zod';
import type { ApprovalRequest, JobRun, Json, Question, StepContext, StepOptions } from './definition.ts';
import type { DurableSteps, RunReference } from './durable.ts';
import { isRunOver, MAX_VALUE_CHARACTERS, SHORT_SLEEP_MS } from './model.ts';
import type { JobError, Progress, Waiting } from './model.ts';
import type { KnownStep, RunStart } from './run-store.ts';

const RETRIES = 4;
/** Until a step is tried the last time: a run that waits for that is not silent. */
const LONGEST_DELAY_MS = 40_000;
const WEEK_MS = 7 * 86_400_000;
const MAX_NAME_LENGTH = 200;
const SHOWN_INPUT = 4096;

interface RunOptions {
  readonly reference: RunReference;
  readonly start: RunStart;
  /** The workspace, as a step of this run reaches it. */
  readonly open: (step: string) => OpenWorkspace;
  readonly durable: DurableSteps;
  readonly patience: number;
  readonly audit: Pick<AuditTrail, 'record'>;
}

/** What a step came to in one go of the durable execution. */
type Attempted =
  | { readonly outcome: string }
  | { readonly error: JobError }
  | { readonly over: true }
  /** What a person must approve first. */
  | { readonly needs: NeededApproval };

type NeededApproval = Omit<JobApproval, 'jobId' | 'step' | keyof Asker>;

/** Ends an attempt at a step that a rule of the person holds up. */
class Held extends Error {
  readonly needs: NeededApproval;

  constructor(needs: NeededApproval) {
    super('a person must approve this first');
    this.needs = needs;
  }
}

/** Nothing comes of it: the run ends, and whoever awaits this is forgotten with it. */
const never = async (): Promise<never> => new Promise(() => {});

/** One run of a job: what its definition gets, and how it ends. */
export class Run {
  readonly #options: RunOptions;
  readonly #known: Map<string, KnownStep>;
  readonly #names = new Set<string>();
  /** What the run cannot go on without. */
  readonly #waiting: Waiting[] = [];
  /** Steps and short sleeps that are under way. */
  #active = 0;
  #progress: Progress | undefined;
  #failedStep: string | undefined;
  #leave: (ended: { readonly waiting: readonly Waiting[] } | undefined) => void = () => {};
  #break: (reason: unknown) => void = () => {};

  private constructor(options: RunOptions, known: Map<string, KnownStep>) {
    this.#options = options;
    this.#known = known;
  }

  static async begin(options: RunOptions): Promise<Run> {
    const { runs } = options.open('');
    const known = new Map<string, KnownStep>();
    for (let after: number | undefined = -1; after !== undefined;) {
      const page = await runs.known(options.reference.jobId, after);
      for (const step of page.steps) known.set(step.name, step);
      after = page.next;
    }
    return new Run(options, known);
  }

  get jobId(): string {
    return this.#options.reference.jobId;
  }

  /** The last step that failed. */
  get failedStep(): string | undefined {
    return this.#failedStep;
  }

  /** How far the job is, where that was not written yet. */
  takeProgress(): Progress | undefined {
    const progress = this.#progress;
    this.#progress = undefined;
    return progress;
  }

  /** Resolves with what work gives, with what the run waits for when nothing else can go on, or with undefined when it is over. */
  async until<Result>(
    work: () => Promise<Result>,
  ): Promise<Result | { readonly waiting: readonly Waiting[] } | undefined> {
    const left = new Promise<{ readonly waiting: readonly Waiting[] } | undefined>((resolve, reject) => {
      this.#leave = resolve;
      this.#break = reject;
    });
    return Promise.race([work(), left]);
  }

  /** As its definition sees it. */
  of<Input>(input: Input): JobRun<Input> {
    return {
      id: this.jobId,
      input,
      session: this.#options.start.session,
      step: async (name, work, options) => this.#step(name, work, options),
      progress: (done, total, message) => {
        this.#progress = { done, total, message };
      },
      sleepUntil: async (name, until) => this.#sleep(name, until),
      now: async (name) => this.#step(name, async () => Date.now()),
      ask: async <Answer>(name: string, question: Question) => this.#ask(name, question) as Promise<Answer>,
      approve: async (name, request) => this.#approve(name, request),
    };
  }

  async #step<Result extends Json>(
    name: string,
    work: (step: StepContext) => Promise<Result>,
    { input, retries = RETRIES }: StepOptions = {},
  ): Promise<Result> {
    this.#claim(name);
    const known = this.#known.get(name);
    if (known?.state === 'finished') return JSON.parse(known.outcome ?? 'null') as Result;
    if (known?.state === 'failed') throw this.#failed(name, JSON.parse(known.error ?? '{}') as JobError);
    for (let attempt = 1; ; attempt++) {
      // The durable execution gives what a name gave before: what is tried anew has another.
      const attempted = await this.#tried(attempt === 1 ? name : `${name} again ${attempt}`, retries, async (note) =>
        this.#attempt(name, work, input, note),
      );
      if ('over' in attempted) {
        this.#leave(undefined);
        return never();
      }
      if ('error' in attempted) throw this.#failed(name, attempted.error);
      if ('outcome' in attempted) return JSON.parse(attempted.outcome) as Result;
      await this.#approval(name, attempted.needs);
    }
  }

  async #tried(
    name: string,
    retries: number,
    attempt: (note: (error: JobError) => void) => Promise<Attempted>,
  ): Promise<Attempted> {
    return this.#during(async () => {
      let last: JobError | undefined;
      try {
        return await this.#options.durable.do(name, retries, async () => attempt((error) => (last = error)));
      } catch {
        // It was tried as often as it may be.
        const error = last ?? { code: 'unavailable', message: 'The step could not be finished.' };
        return this.#settled(error.step ?? name, error);
      }
    });
  }

  /** @throws whatever is worth another try */
  async #attempt<Result extends Json>(
    name: string,
    work: (step: StepContext) => Promise<Result>,
    input: Json | undefined,
    note: (error: JobError) => void,
  ): Promise<Attempted> {
    const { reference, open, patience, start } = this.#options;
    const { jobId } = reference;
    const { runs } = open('');
    const beat = setInterval(() => {
      runs.beat(jobId, this.takeProgress(), patience, Date.now()).catch(() => {});
    }, patience / 3);
    try {
      const given = await runs.beginStep(
        jobId,
        name,
        input === undefined ? undefined : JSON.stringify(input).slice(0, SHOWN_INPUT),
        patience,
        Date.now(),
      );
      if (given !== undefined) return { outcome: given };
      const { origin, ...authority } = start.authority;
      const principal: Principal = { ...authority, grantId: authority.grantId ?? '', once: `${jobId}/${name}` };
      const workspace = open(name);
      const gated: StepContext['gated'] = async (call, act) => this.#gated(name, workspace, call, act);
      const outcome = JSON.stringify((await work({ workspace, principal, origin, gated })) ?? null);
      if (outcome.length > MAX_VALUE_CHARACTERS)
        throw new CarrelError('too_large', 'A step gave more than a job may keep. It should write a file.');
      await runs.finishStep(jobId, name, outcome, this.takeProgress(), patience, Date.now());
      return { outcome };
    } catch (thrown) {
      if (isRunOver(thrown)) return { over: true };
      if (thrown instanceof Held) return { needs: thrown.needs };
      const { code, message, details } = asCarrelError(thrown);
      const error = { code, message, details, step: name };
      note(error);
      if (!isTransient(error)) return await this.#settled(name, error);
      await runs.failStep(jobId, name, error, false, Math.max(patience * 2, LONGEST_DELAY_MS), Date.now());
      throw thrown;
    } finally {
      clearInterval(beat);
    }
  }

  async #gated<Result>(
    name: string,
    workspace: OpenWorkspace,
    { intent, summary, arguments: given }: GatedCall,
    act: (workspace: OpenWorkspace) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await act(workspace.asking({ ...intent, claim: claimOfStep(this.jobId, name) }));
    } catch (thrown) {
      if (!(thrown instanceof CarrelError && thrown.details['approval_required'])) throw thrown;
      const { tool: action, files = [], bytes, destructive } = intent;
      throw new Held({ summary, action, arguments: canonicalJson(given ?? {}), files, bytes, destructive });
    }
  }

  async #settled(name: string, error: JobError): Promise<{ readonly error: JobError } | { readonly over: true }> {
    const { reference, open, patience } = this.#options;
    try {
      await open('').runs.failStep(reference.jobId, name, error, true, patience, Date.now());
      return { error };
    } catch (thrown) {
      if (isRunOver(thrown)) return { over: true };
      throw thrown;
    }
  }

  async #sleep(name: string, until: number): Promise<void> {
    const known = this.#claim(name);
    if (known?.state === 'finished') return;
    const wait = await this.#wait(name, known, { for: 'time', step: name, until });
    const left = wait.until - Date.now();
    if (left > SHORT_SLEEP_MS) return this.#block(wait);
    const { reference, open, durable, patience } = this.#options;
    await this.#during(async () =>
      this.#unlessOver(async () => {
        const { runs } = open('');
        await runs.beat(reference.jobId, this.takeProgress(), Math.max(0, left) + patience, Date.now());
        if (left > 0) await durable.sleepUntil(name, wait.until);
        await runs.finishStep(reference.jobId, name, 'null', undefined, patience, Date.now());
      }),
    );
  }

  async #ask(name: string, { message, schema, within = WEEK_MS }: Question): Promise<unknown> {
    const known = this.#claim(name);
    // Through the schema, which may fill in what was left out.
    if (known?.state === 'finished') return schema.parse(JSON.parse(known.outcome ?? 'null'));
    if (known?.state === 'failed') throw this.#failed(name, JSON.parse(known.error ?? '{}') as JobError);
    const until = Date.now() + within;
    const form = z.toJSONSchema(schema, { io: 'input' }) as Json;
    const wait = await this.#wait(name, known, { for: 'input', step: name, until, message, schema: form });
    if (wait.until <= Date.now())
      throw this.#failed(name, { code: 'forbidden', message: 'Nobody answered in time.', step: name });
    return this.#block(wait);
  }

  async #approve(name: string, { files = [], arguments: given, ...request }: ApprovalRequest): Promise<void> {
    const known = this.#claim(name);
    if (known?.state === 'finished') return;
    if (known?.state === 'failed') throw this.#failed(name, JSON.parse(known.error ?? '{}') as JobError);
    const asked = { ...request, arguments: canonicalJson(given), files: files.map((file) => ({ file })) };
    await this.#approval(name, asked);
    const { reference, open, patience } = this.#options;
    await this.#during(async () =>
      this.#unlessOver(async () =>
        open('').runs.finishStep(reference.jobId, name, 'null', this.takeProgress(), patience, Date.now()),
      ),
    );
  }

  /** Comes back when a person has approved, which is used up by this step. @throws CarrelError `forbidden` */
  async #approval(name: string, asked: NeededApproval): Promise<void> {
    const { reference, start, audit, open, patience } = this.#options;
    const { jobId } = reference;
    const { grantId = '', clientId, personId } = start.authority;
    const asker = { grantId, clientId, personId, requestId: jobId };
    // Once more where what was approved is not what is there any more.
    for (;;) {
      const approval = await this.#during(async () =>
        this.#unlessOver(async () => {
          const { approvals } = open('');
          const { approval: found, isNew } = await approvals.askForJob(
            { ...asker, ...asked, jobId, step: name },
            Date.now(),
          );
          if (isNew) await audit.record({ ...asker, action: 'approval_asked', detail: auditDetail(found) });
          return found.status === 'approved' ? approvals.useForJob(jobId, name, Date.now()) : found;
        }),
      );
      if (approval?.status === 'used') return;
      if (approval?.status === 'pending') {
        const { id, expiresAt: until, summary: message } = approval;
        const wait: Waiting = { for: 'approval', step: name, until, message, approval: id };
        await this.#during(async () =>
          this.#unlessOver(async () => open('').runs.replaceWait(jobId, name, wait, patience, Date.now())),
        );
        return this.#block(wait);
      }
      if (approval?.status === 'outdated') continue;
      const message = approval?.status === 'denied' ? 'The person denied this.' : 'Nobody approved this in time.';
      const error: JobError = { code: 'forbidden', message, step: name };
      const ended = await this.#during(async () => this.#settled(name, error));
      if ('over' in ended) {
        this.#leave(undefined);
        return never();
      }
      throw this.#failed(name, error);
    }
  }

  /** What a step waits for, as it was said the first time. */
  async #wait(name: string, known: KnownStep | undefined, wait: Waiting): Promise<Waiting> {
    if (known?.wait !== undefined) return JSON.parse(known.wait) as Waiting;
    const { reference, open, patience } = this.#options;
    return this.#during(async () =>
      this.#unlessOver(async () => open('').runs.keepWait(reference.jobId, name, wait, patience, Date.now())),
    );
  }

  async #unlessOver<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (thrown) {
      if (isRunOver(thrown)) this.#leave(undefined);
      else if (thrown instanceof CarrelError) throw thrown;
      // Storage that cannot be reached is no failure of the job: the run breaks off, and the workspace begins another.
      else this.#break(thrown);
      return never();
    }
  }

  /** Does not come back in this run. */
  async #block(wait: Waiting): Promise<never> {
    this.#waiting.push(wait);
    this.#settle();
    return never();
  }

  async #during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#active += 1;
    try {
      return await work();
    } finally {
      this.#active -= 1;
      this.#settle();
    }
  }

  /** Ends the run when all that is left of it waits. Between steps a definition awaits nothing, so one turn is enough to see. */
  #settle(): void {
    if (this.#waiting.length === 0) return;
    setTimeout(() => {
      if (this.#active === 0) this.#leave({ waiting: this.#waiting });
    }, 0);
  }

  #claim(name: string): KnownStep | undefined {
    if (name.length === 0 || name.length > MAX_NAME_LENGTH)
      throw new TypeError(`a step has a name of 1 to 200 characters: ${name}`);
    if (this.#names.has(name)) throw new TypeError(`two steps of one job are called ${name}`);
    this.#names.add(name);
    return this.#known.get(name);
  }

  #failed(name: string, { code, message, details }: JobError): CarrelError {
    this.#failedStep = name;
    return new CarrelError(code, message, details ? { details } : {});
  }
}

/** What may go away by itself. */
function isTransient({ code }: JobError): boolean {
  return code === 'unavailable' || code === 'limit_exceeded' || code === 'internal';
}
