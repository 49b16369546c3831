import type { ContentBlock } from '@modelcontextprotocol/server';

import type { RequestContext } from './context.ts';

/** Tasks: calls that go on after their answer (SEP-2663). */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** A task as the protocol has it, without what only a look at it tells. */
export interface TaskState {
  readonly taskId: string;
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  readonly statusMessage?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** How long it can be asked for, in ms; null for no end that is known yet. */
  readonly ttlMs: number | null;
  readonly pollIntervalMs: number;
}

/** What a look at a task tells. */
export interface DetailedTask extends TaskState {
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
  readonly inputRequests?: Record<string, unknown>;
}

/** What a tool answered, checked against its output schema. */
export interface ToolOutcome {
  readonly structured: Record<string, unknown>;
  readonly text: string;
  readonly content: ContentBlock[];
}

/** Where tasks are. Each throws CarrelError `not_found` for one that is not there, or not this caller's. */
export interface Tasks {
  /**
   * Calls a tool as a task.
   *
   * @returns its outcome, if that comes soon
   * @throws CarrelError what the tool throws, if that comes soon
   */
  call(
    context: RequestContext,
    tool: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<StartedTask | ToolOutcome>;
  get(context: RequestContext, taskId: string): Promise<DetailedTask>;
  update(context: RequestContext, taskId: string, responses: Readonly<Record<string, unknown>>): Promise<void>;
  cancel(context: RequestContext, taskId: string): Promise<void>;
}

/** Work that goes on, instead of a handler's answer. It must be durable before it is returned. */
export class StartedTask {
  readonly task: TaskState;

  constructor(task: TaskState) {
    this.task = task;
  }
}

/** Whether a request declares that its client understands tasks. It counts for this request alone. */
export function declaresTasks(body: unknown): boolean {
  const meta = (body as { params?: { _meta?: Record<string, unknown> } } | undefined)?.params?.['_meta'];
  const capabilities = meta?.['io.modelcontextprotocol/clientCapabilities'] as
    | { extensions?: Record<string, unknown> }
    | undefined;
  return capabilities?.extensions?.[TASKS_EXTENSION] !== undefined;
}

const TASK_METHODS = ['tasks/get', 'tasks/update', 'tasks/cancel'] as const;
export type TaskMethod = (typeof TASK_METHODS)[number];

export function isTaskMethod(method: string | undefined): method is TaskMethod {
  return TASK_METHODS.some((each) => each === method);
}
