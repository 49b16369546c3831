import { createApp, workspaceDependencies } from '../../src/app.ts';
import type { App, Bindings } from '../../src/app.ts';
import { WorkspaceObject } from '../../src/workspace/object.ts';
import { counted, pause, slowed } from './delays.ts';

/** The Worker of src/index.ts, with delays (none until a test asks for them) and a count before its storage. */
const watched = (env: Bindings): Bindings => ({
  ...env,
  DIRECTORY: slowed(env.DIRECTORY),
  WORKSPACE: counted(env.WORKSPACE),
});

export class Workspace extends WorkspaceObject {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env, { ...workspaceDependencies(watched(env)), pause });
  }
}

let app: App | undefined;

export default {
  fetch: (request, env) => (app ??= createApp(watched(env))).fetch(request),
  scheduled: (_event, env) => (app ??= createApp(watched(env))).scheduled(),
} satisfies ExportedHandler<Bindings>;
