/** A run of a job: the job, and which of its runs. */
export interface RunReference {
  readonly workspaceId: string;
  readonly jobId: string;
  readonly run: number;
}

/** Where runs run. */
export interface Runner {
  /** Begins these runs; one that was begun already stays as it is. */
  launch(runs: readonly RunReference[]): Promise<void>;
}

/** What durable execution gives to a run: the steps of a Workflow. */
export interface DurableSteps {
  /** Runs work until it succeeds, at most so often again, with a growing delay; gives what it gave when the run is played again. */
  do<Result>(name: string, retries: number, work: () => Promise<Result>): Promise<Result>;
  /** @param until ms since the epoch */
  sleepUntil(name: string, until: number): Promise<void>;
}
