import * as z from 'zod';

import { CarrelError } from '../lib/errors.ts';
import type { ErrorCode, ErrorDetails } from '../lib/errors.ts';
import type { SessionRef } from '../sessions/model.ts';
import type { Json } from './definition.ts';

export const STATUSES = ['queued', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof STATUSES)[number];

/** Those that change no more, unless a failed or cancelled one is tried again. */
export const ENDED: ReadonlySet<JobStatus> = new Set(['completed', 'failed', 'cancelled']);

/** Jobs of one person that run at the same time; the others queue. */
export const MAX_RUNNING = 5;
/** Jobs of one person that have not ended. */
export const MAX_ACTIVE = 1000;
/** Steps of one job. */
export const MAX_STEPS = 10_000;
/** What the steps of one job give together, in characters of JSON. */
export const MAX_OUTCOME_CHARACTERS = 32_000_000;
/** What one step gives, what a job is given and what it gives, in characters of JSON: more is a file. */
export const MAX_VALUE_CHARACTERS = 256_000;
/** How long a job may take from its start, waiting included, in ms. */
export const MAX_DURATION_MS = 30 * 86_400_000;
/** Runs one after another that ended without a word and without a step between them, until the job is given up. */
export const MAX_STALLS = 8;
/** A shorter sleep keeps its place among those that run; a longer one gives it back. In ms. */
export const SHORT_SLEEP_MS = 60_000;

/** What a job waits for. */
export interface Waiting {
  readonly for: 'input' | 'approval' | 'time';
  /** The step that waits. */
  readonly step: string;
  /** ms since the epoch. */
  readonly until: number;
  readonly message?: string;
  /** JSON Schema of the input that is asked for. */
  readonly schema?: Json;
  readonly approval?: string;
}

/** Why a job ended without a result, as its reader sees it. */
export interface JobError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: ErrorDetails;
  /** The step that failed. */
  readonly step?: string;
}

export interface Progress {
  readonly done: number;
  readonly total: number | undefined;
  readonly message: string | undefined;
}

/** A job, as lists show it. */
export interface Job {
  readonly id: string;
  readonly definition: string;
  readonly status: JobStatus;
  readonly session: SessionRef;
  readonly progress: Progress;
  readonly currentStep: string | undefined;
  /** Steps that have finished. */
  readonly steps: number;
  /** Runs that it took so far. */
  readonly run: number;
  /** How often steps were begun. */
  readonly attempts: number;
  readonly waiting: readonly Waiting[];
  readonly pausedBecause: PauseReason | undefined;
  readonly error: JobError | undefined;
  readonly hasResult: boolean;
  /** What started it: a schedule, a recipe. */
  readonly origin: string | undefined;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly updatedAt: number;
  readonly finishedAt: number | undefined;
  /** Grows with every change. */
  readonly revision: number;
}

export type PauseReason = 'asked' | 'access_ended';

/** For whom a job works: what it was given when it was started, or resumed. */
export interface JobAuthority {
  readonly personId: string;
  readonly workspaceId: string;
  /** Undefined for the person themselves, on a page. */
  readonly grantId: string | undefined;
  readonly clientId: string;
  readonly label: string;
  readonly scopes: readonly string[];
  /** The origin of the deployment. */
  readonly origin: string;
}

/** What is submitted. */
export interface Submission {
  readonly definition: string;
  /** JSON. */
  readonly input: string;
  readonly session: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly authority: JobAuthority;
  readonly source: string | undefined;
}

export type StepState = 'running' | 'finished' | 'failed' | 'waiting';

/** A step, as whoever looks at a job sees it. */
export interface StepSummary {
  readonly name: string;
  readonly state: StepState;
  readonly attempts: number;
  /** JSON, cut. */
  readonly input: string | undefined;
  readonly outcome: string | undefined;
  readonly error: string | undefined;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
}

/** The same for a job of somebody else and for none. */
export function noSuchJob(): CarrelError {
  return new CarrelError('not_found', 'There is no such job. `job_list` shows those there are.');
}

/** That another call of this run is refused: the job does not run in it any more. */
export function runIsOver(): CarrelError {
  return new CarrelError('conflict', 'This run of the job is over.', { details: { run_over: true } });
}

export function isRunOver(error: unknown): boolean {
  return error instanceof CarrelError && error.details['run_over'] === true;
}

/** A flat form, as MCP elicitation has them. */
export const answerSchema = z.record(z.string().max(100), z.union([z.string().max(10_000), z.number(), z.boolean()]));
