import type { Route } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { OPERATOR_HEADER, OPERATOR_PATH, operatorCommand } from './operator.ts';
import type { OperatorSignature } from './operator.ts';
import type { UpkeepService } from '../files/upkeep-service.ts';
import type { PeopleService } from './people.ts';

interface OperatorRoutesOptions {
  readonly people: PeopleService;
  readonly signature: OperatorSignature;
  readonly upkeep: UpkeepService;
}

const HOUR_MS = 3_600_000;

/** What `npm run people` and `npm run files` call: for the operator alone, who signs each request. */
export function operatorRoutes({ people, signature, upkeep }: OperatorRoutesOptions): Route[] {
  return [
    {
      path: OPERATOR_PATH,
      methods: {
        POST: async ({ request, origin, requestId }) => {
          const body = await request.text();
          if (!(await signature.verify(origin, body, request.headers.get(OPERATOR_HEADER), Date.now())))
            throw new CarrelError(
              'forbidden',
              'Only the operator of this deployment can do this, with `npm run people` or `npm run files`.',
            );
          const parsed = operatorCommand.safeParse(parseJson(body));
          if (!parsed.success) throw new CarrelError('invalid_input', 'There is no such command.');
          const asked = parsed.data;
          if (asked.command === 'list_workspaces') return Response.json({ workspaces: await upkeep.workspaceIds() });
          if (asked.command === 'compare_files') {
            const { workspace, mend, hours } = asked;
            return Response.json(await upkeep.compare(workspace, { mend, age: hours * HOUR_MS }, Date.now()));
          }
          const { command, person } = asked;
          const found = await people.inspect('operator', person);
          if (command === 'inspect') return Response.json(found);
          if (command === 'delete')
            return Response.json({ ...found, ...(await people.delete('operator', person, requestId)) });
          await people[command]('operator', person, requestId);
          return Response.json(await people.inspect('operator', person));
        },
      },
    },
  ];
}
