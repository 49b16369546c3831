import { createApp, workspaceDependencies } from '../../src/app.ts';
import type { App, Bindings } from '../../src/app.ts';
import { DatasetsHost } from '../../src/datasets/host.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import type { DurableSteps, RunReference } from '../../src/jobs/durable.ts';
import { JobRunWorkflow } from '../../src/jobs/workflow.ts';
import { TOOLSETS } from '../../src/toolsets.ts';
import { WorkspaceObject } from '../../src/workspace/object.ts';
import { writing } from './writing-job.ts';

/** The Worker of src/index.ts with one kind of job more. */
export class Workspace extends WorkspaceObject {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env, workspaceDependencies(env));
  }
}

export class Datasets extends DatasetsHost<Bindings> {
  protected override bucket(): R2FileBucket {
    return new R2FileBucket(this.env.FILES);
  }
}

let app: App | undefined;
const made = (env: Bindings) => (app ??= createApp(env, TOOLSETS, writing));

export class JobRun extends JobRunWorkflow<Bindings> {
  protected override async work(run: RunReference, steps: DurableSteps): Promise<void> {
    await made(this.env).runJob(run, steps);
  }
}

export default {
  fetch: (request, env) => made(env).fetch(request),
  scheduled: (_event, env) => made(env).scheduled(),
} satisfies ExportedHandler<Bindings>;
