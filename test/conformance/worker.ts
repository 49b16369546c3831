// First: the Worker fetches with what it finds when it is loaded.
import '../support/github-elsewhere.ts';
import { createApp, workspaceDependencies } from '../../src/app.ts';
import type { App, Bindings } from '../../src/app.ts';
import { TOOLSETS } from '../../src/toolsets.ts';
import type { ToolsetServices } from '../../src/toolsets.ts';
import { DatasetsHost } from '../../src/datasets/host.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import type { DurableSteps, RunReference } from '../../src/jobs/durable.ts';
import { JobRunWorkflow } from '../../src/jobs/workflow.ts';
import { WorkspaceObject } from '../../src/workspace/object.ts';
import { taskJobs } from './tasks.ts';
import { conformanceToolset } from './toolset.ts';

/** The Worker of src/index.ts with one toolset more, and GitHub where TEST_GITHUB says. */
export class Workspace extends WorkspaceObject {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env, workspaceDependencies(env));
  }
}

const toolsets = { ...TOOLSETS, conformance: ({ jobService }: ToolsetServices) => conformanceToolset(jobService) };

export class Datasets extends DatasetsHost<Bindings> {
  protected override bucket(): R2FileBucket {
    return new R2FileBucket(this.env.FILES);
  }
}

let app: App | undefined;

export class JobRun extends JobRunWorkflow<Bindings> {
  protected override async work(run: RunReference, steps: DurableSteps): Promise<void> {
    await (app ??= createApp(this.env, toolsets, taskJobs)).runJob(run, steps);
  }
}

export default {
  fetch: (request, env) => (app ??= createApp(env, toolsets, taskJobs)).fetch(request),
  scheduled: (_event, env) => (app ??= createApp(env, toolsets, taskJobs)).scheduled(),
} satisfies ExportedHandler<Bindings>;
