import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';

import type { Bindings } from '../../src/app.ts';
import { mishaps } from './jobs.ts';
import { tool } from './mcp.ts';
import { OAuthClient, Person, send } from './person.ts';
import type { Connection } from './person.ts';

/** A job, as tools and HTTP show it. */
export interface ShownJob {
  readonly id: string;
  readonly definition: string;
  readonly status: string;
  readonly steps_done: number;
  readonly attempts: number;
  readonly current_step?: string;
  readonly progress?: { readonly done: number; readonly total?: number; readonly message?: string };
  readonly waiting?: readonly { readonly for: string; readonly step: string; readonly until: string }[];
  readonly paused_because?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly step?: string };
  readonly result_ready: boolean;
  readonly kept_until?: string;
}

/** A step of `test_plan`. */
export type Planned = { readonly kind: string; readonly name: string } & Record<string, unknown>;

/** A connected client that works with jobs. */
export class JobClient {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** A new person with a client that may do everything, or what is said. */
  static async signIn(scope?: string, person = new Person()): Promise<JobClient> {
    return new JobClient(await person.connect(await OAuthClient.register(), { scope }));
  }

  get workspace() {
    return (env as unknown as Bindings).WORKSPACE.getByName(this.connection.personId);
  }

  async call<Result>(name: string, input: Record<string, unknown> = {}): Promise<Result> {
    const { failed, content, text } = await tool(this.connection.accessToken, name, input);
    if (failed) throw new Error(text);
    return content as Result;
  }

  /** The code with which a tool refuses. */
  async refusal(name: string, input: Record<string, unknown> = {}): Promise<string> {
    const { failed, content } = await tool(this.connection.accessToken, name, input);
    return failed ? (content['error'] as { code: string }).code : 'nothing was refused';
  }

  async start(definition: string, input: object, more: object = {}): Promise<ShownJob> {
    return (await this.call<{ job: ShownJob }>('job_start', { definition, input, ...more })).job;
  }

  async plan(...steps: Planned[]): Promise<string> {
    return (await this.start('test_plan', { steps })).id;
  }

  async get(job: string, wait = 0): Promise<ShownJob> {
    return (await this.call<{ job: ShownJob }>('job_get', { job, wait })).job;
  }

  /** The job when it has ended, was paused or waits. */
  async settled(job: string): Promise<ShownJob> {
    return this.get(job, 50);
  }

  async act(action: string, job: string, more: object = {}): Promise<string> {
    return (await this.call<{ status: string }>(`job_${action}`, { job, ...more })).status;
  }

  async list(): Promise<readonly ShownJob[]> {
    return (await this.call<{ jobs: ShownJob[] }>('job_list', { limit: 100 })).jobs;
  }

  async result<Result>(job: string): Promise<Result> {
    return (await this.call<{ result: Result }>('job_result', { job })).result;
  }

  async http(path: string, { headers, ...init }: RequestInit = {}): Promise<Response> {
    return send(path, {
      ...init,
      headers: { ...(headers as Record<string, string>), Authorization: `Bearer ${this.connection.accessToken}` },
    });
  }

  async post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.http(path, {
      method: 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    });
  }

  async rows(query: string, ...values: (string | number)[]): Promise<Record<string, SqlStorageValue>[]> {
    return runInDurableObject(this.workspace, (_object, { storage }) => storage.sql.exec(query, ...values).toArray());
  }

  /** Has the workspace tend its jobs now, at whatever time it is for the test. */
  async tend(): Promise<void> {
    await this.rows(`UPDATE agenda SET due_at = 0 WHERE task = 'jobs'`);
    await runDurableObjectAlarm(this.workspace);
  }
}

/** Resolves when this is so. A promise of one request that another one resolves would never be noticed in workerd. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await scheduler.wait(5);
}

/** Holds a step the next time that it is begun. @returns a wait until it was begun, and how to let it go on */
export function held(step: string): { readonly begun: () => Promise<void>; readonly release: () => void } {
  let isBegun = false;
  let isReleased = false;
  mishaps.set(step, [
    ...(mishaps.get(step) ?? []),
    async () => {
      isBegun = true;
      await until(() => isReleased);
    },
  ]);
  return {
    begun: async () => until(() => isBegun),
    release: () => {
      isReleased = true;
    },
  };
}

/** A step name that nobody else has: what happens to steps is shared by all tests of a file. */
let names = 0;
export const unique = (name: string): string => `${name}-${++names}`;
