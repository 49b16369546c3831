import { createApp, workspaceDependencies } from './app.ts';
import type { App, Bindings } from './app.ts';
import { DatasetsHost } from './datasets/host.ts';
import { R2FileBucket } from './files/bucket.ts';
import type { DurableSteps, RunReference } from './jobs/durable.ts';
import { JobRunWorkflow } from './jobs/workflow.ts';
import { WorkspaceObject } from './workspace/object.ts';

/** The Worker: what the platform calls, and nothing else. */
export class Workspace extends WorkspaceObject {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env, workspaceDependencies(env));
  }
}

/** Tables, which SQL of others reads: an object for each person, that holds nothing else. */
export class Datasets extends DatasetsHost<Bindings> {
  protected override bucket(): R2FileBucket {
    return new R2FileBucket(this.env.FILES);
  }
}

/** One app an isolate: what it makes (keys, schemas, routes) is the same for all requests. */
let app: App | undefined;

export class JobRun extends JobRunWorkflow<Bindings> {
  protected override async work(run: RunReference, steps: DurableSteps): Promise<void> {
    await (app ??= createApp(this.env)).runJob(run, steps);
  }
}

export default {
  fetch: (request, env) => (app ??= createApp(env)).fetch(request),
  scheduled: (_event, env) => (app ??= createApp(env)).scheduled(),
} satisfies ExportedHandler<Bindings>;
