import { way } from '../http/endpoint.ts';
import type { AuthorisedContext, ProtectedRoute } from '../http/route.ts';
import type { JobService } from './service.ts';
import type { jobWays } from './ways.ts';

const ACTIONS = ['pause', 'resume', 'cancel', 'retry', 'answer'] as const;

/** Jobs over HTTP, with an access token. What checks and answers is loaded with the first request. */
export function jobRoutes(service: () => Promise<JobService>): ProtectedRoute[] {
  const ways = async () => (await import('./ways.ts')).jobWays(await service(), way);
  const to = (name: keyof ReturnType<typeof jobWays>, scope = 'jobs:write') => ({
    scope,
    inputs: [],
    handle: async (context: AuthorisedContext) => (await ways())[name].handle(context),
    describe: async () => ({
      ...(await import('./operations.ts')).OPERATIONS[name],
      input: (await ways())[name].input,
    }),
  });
  const read = 'jobs:read';
  return [
    { path: '/jobs', methods: { GET: to('list', read), POST: to('start') } },
    { path: '/jobs/:id', methods: { GET: to('get', read) } },
    { path: '/jobs/:id/result', methods: { GET: to('result', read) } },
    { path: '/jobs/:id/events', methods: { GET: to('events', read) } },
    ...ACTIONS.map((action) => ({ path: `/jobs/:id/${action}`, methods: { POST: to(action) } })),
  ];
}
