import type * as z from 'zod';

import type { GatedCall } from '../approvals/gate.ts';
import type { Principal } from '../mcp/context.ts';
import type { OpenWorkspace } from '../workspace/client.ts';

/** What passes between steps and is kept in the record: JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What one step gets, and what is checked beforehand. It lives as long as the step. */
export interface WorkContext {
  /**
   * Opened for this run and this step: each call is refused once the job was paused, cancelled or goes on in another
   * run, and what a call writes is written once, however often the step is repeated.
   */
  readonly workspace: OpenWorkspace;
  /** For whom the job works, with the scopes that it was given. */
  readonly principal: Principal;
  /** The origin of this deployment, for addresses that a result names. */
  readonly origin: string;
}

/** What one step gets. */
export interface StepContext extends WorkContext {
  /**
   * Makes a call that changes something as the rules of the person allow: where they want to be asked first, the job waits
   * for them, and the step is begun again once they approved.
   */
  readonly gated: <Result>(call: GatedCall, work: (workspace: OpenWorkspace) => Promise<Result>) => Promise<Result>;
}

export interface StepOptions {
  /** Kept beside the step for whoever looks at it; at most 4 KB as JSON are shown. */
  readonly input?: Json;
  /** How often what is transient is tried again; 4 unless told. */
  readonly retries?: number;
}

/** What a person is asked for; answered with `job_answer` or on the job's page, never an approval. */
export interface Question {
  readonly message: string;
  /** A flat object of strings, numbers, booleans and enumerations, as MCP elicitation has them. */
  readonly schema: z.ZodObject;
  /** Within how many ms; a week unless told. Afterwards the job fails. */
  readonly within?: number;
}

/** What a person is to approve. */
export interface ApprovalRequest {
  /** One line: what will happen. */
  readonly summary: string;
  /** The tool, or the name of the definition. */
  readonly action: string;
  readonly arguments: Json;
  /** Files that it affects, by id. */
  readonly files?: readonly string[];
  /** Within how many ms; a day unless told. Afterwards it counts as refused. */
  readonly within?: number;
}

/**
 * One run of a job, as its definition sees it. A run may end at any await and be begun again from the start: what
 * finished is not done again, each step that finished gives what it gave. Between steps nothing may be done that counts.
 */
export interface JobRun<Input> {
  readonly id: string;
  readonly input: Input;
  /** Id of the session that the job works in. */
  readonly session: string;
  /**
   * Runs a step, or gives what it gave in an earlier run. What is transient (`unavailable`, `limit_exceeded`, anything that is
   * no CarrelError) is tried again with a growing delay; every other CarrelError fails the job at once unless it is caught.
   *
   * @param name the same in every run, and no other step's: `fetch-17`; at most 200 characters
   * @param work gives JSON, at most 256 KB
   */
  step<Result extends Json>(
    name: string,
    work: (step: StepContext) => Promise<Result>,
    options?: StepOptions,
  ): Promise<Result>;
  /** How far the job is; part of the next write of the record. */
  progress(done: number, total?: number, message?: string): void;
  /** Waits until then (ms since the epoch as of the first run), over restarts. @param name as a step's */
  sleepUntil(name: string, until: number): Promise<void>;
  /** The time (ms since the epoch) at which this was first asked: the same in every run. @param name as a step's */
  now(name: string): Promise<number>;
  /** Waits for a person's input. @param name as a step's */
  ask<Answer>(name: string, question: Question): Promise<Answer>;
  /** Waits for a person's approval. @throws CarrelError `forbidden` when it was refused or nobody answered in time */
  approve(name: string, request: ApprovalRequest): Promise<void>;
}

/** A kind of job. */
export interface JobDefinition {
  /** snake_case, as `job_start` takes it. */
  readonly name: string;
  readonly title: string;
  /** When to start it, what it takes and what comes of it: for the model that chooses. */
  readonly description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** The scopes that it works with, of a given input. Who starts it must have them, and the job has no others. */
  scopes(input: never): readonly string[];
  /** Scopes that it works with as well where whoever starts it has them. */
  readonly alsoScopes?: readonly string[];
  /** Whether it is started by Carrel itself, and by nobody who names it. */
  readonly isInternal?: boolean;
  /** What of the workspace is checked before there is a job, such as that a file is there. */
  check?(input: never, context: WorkContext): Promise<void>;
  run(job: JobRun<never>): Promise<Record<string, unknown>>;
}

export interface JobDescription<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly scopes: readonly string[] | ((input: z.output<Input>) => readonly string[]);
  readonly alsoScopes?: readonly string[];
  readonly isInternal?: boolean;
  readonly check?: (input: z.output<Input>, context: WorkContext) => Promise<void>;
  run(job: JobRun<z.output<Input>>): Promise<z.input<Output>>;
}

/** Defines a kind of job; the types of its schemas reach `run`. */
export function defineJob<Input extends z.ZodObject, Output extends z.ZodObject>(
  description: JobDescription<Input, Output>,
): JobDefinition {
  const { scopes } = description;
  return { ...description, scopes: typeof scopes === 'function' ? scopes : () => scopes };
}
