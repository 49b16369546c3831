import * as z from 'zod';

import { endpoint, way } from '../../http/endpoint.ts';
import { problem } from '../../http/problem.ts';
import type { AuthorisedContext, HttpContext, ProtectedRoute, Route } from '../../http/route.ts';
import { DISCOVERY } from './discovery.ts';
import type { Refusal } from './protocol.ts';
import type { TusService } from './service.ts';

const byAddress = z.object({ address: z.string().describe('Signed, for one upload') });
const anyBytes = { 'application/offset+octet-stream': 'bytes' } as const;

/** What answers and the documents of it, which few isolates need. */
const protocol = () => import('./protocol.ts');
const documents = async () => (await import('./operations.ts')).tusOperations;

const answered = ({ requestId }: HttpContext, answer: Response | Refusal): Response =>
  answer instanceof Response ? answer : problem(answer.error, requestId, answer.status);

/** Uploads by tus 1.0 (https://tus.io/protocols/resumable-upload), for the clients that speak it. */
export function tusRoutes(service: () => Promise<TusService>): { open: Route; protected: ProtectedRoute } {
  const at = (method: 'status' | 'append' | 'terminate' | 'override', body?: typeof anyBytes) =>
    endpoint(
      async () => (await documents())[method],
      way({
        params: byAddress,
        ...(body ? { body } : {}),
        handle: async (context: HttpContext, { params }) =>
          answered(context, await (await protocol())[method](await service(), context, params.address)),
      }),
    );
  const create = way({
    body: anyBytes,
    handle: async (context: AuthorisedContext) =>
      answered(context, await (await protocol()).create(await service(), context)),
  });
  const common = { body: 'stream', headers: DISCOVERY } as const;
  return {
    open: {
      path: '/tus/:address',
      methods: {
        GET: at('status'),
        PATCH: at('append', anyBytes),
        DELETE: at('terminate'),
        POST: at('override', anyBytes),
      },
      crossOrigin: 'any',
      ...common,
    },
    protected: {
      path: '/files/tus',
      methods: { POST: { scope: 'files:write', ...endpoint(async () => (await documents()).create, create) } },
      ...common,
    },
  };
}
