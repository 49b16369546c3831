import { createApp, workspaceDependencies } from '../../src/app.ts';
import type { App, Bindings } from '../../src/app.ts';
import { DatasetsHost } from '../../src/datasets/host.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import type { DurableSteps, RunReference } from '../../src/jobs/durable.ts';
import { JobRunWorkflow } from '../../src/jobs/workflow.ts';
import { WorkspaceObject } from '../../src/workspace/object.ts';
import { count, countedBucket, countedObject, countedRequest } from './costs.ts';
import { callsAllowed, counted, pause, slowed } from './delays.ts';
import { testJobs } from './jobs.ts';
import { TEST_TOOLSETS } from './toolsets.ts';

/**
 * The Worker of src/index.ts and a toolset more, with delays (none until a test asks for them) and counts
 * before its storage.
 */
const watched = (env: Bindings): Bindings => ({
  ...env,
  DIRECTORY: slowed(env.DIRECTORY),
  WORKSPACE: counted(env.WORKSPACE),
  FILES: countedBucket(env.FILES),
});

export class Workspace extends WorkspaceObject {
  constructor(state: DurableObjectState, env: Bindings) {
    const dependencies = workspaceDependencies(watched(env));
    const callsPerMinute = callsAllowed() ?? dependencies.callsPerMinute;
    super(countedObject(state), env, { ...dependencies, pause, callsPerMinute });
  }

  override async alarm(): Promise<void> {
    await super.alarm();
    count('alarms');
  }
}

export class Datasets extends DatasetsHost<Bindings> {
  protected override bucket(): R2FileBucket {
    return new R2FileBucket(this.env.FILES);
  }
}

let app: App | undefined;

export class JobRun extends JobRunWorkflow<Bindings> {
  protected override async work(run: RunReference, steps: DurableSteps): Promise<void> {
    await (app ??= createApp(watched(this.env), TEST_TOOLSETS, testJobs)).runJob(run, steps);
  }
}

export default {
  fetch: (request, env) => {
    const served = (app ??= createApp(watched(env), TEST_TOOLSETS, testJobs));
    return countedRequest(request, async (same) => served.fetch(same));
  },
  scheduled: (_event, env) => {
    count('requests');
    return (app ??= createApp(watched(env), TEST_TOOLSETS, testJobs)).scheduled();
  },
} satisfies ExportedHandler<Bindings>;
