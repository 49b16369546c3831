import { createApp, workspaceDependencies } from './app.ts';
import type { App, Bindings } from './app.ts';
import { WorkspaceObject } from './workspace/object.ts';

/** The Worker: what the platform calls, and nothing else. */
export class Workspace extends WorkspaceObject {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env, workspaceDependencies(env));
  }
}

/** One app an isolate: what it makes (keys, schemas, routes) is the same for all requests. */
let app: App | undefined;

export default {
  fetch: (request, env) => (app ??= createApp(env)).fetch(request),
  scheduled: (_event, env) => (app ??= createApp(env)).scheduled(),
} satisfies ExportedHandler<Bindings>;
