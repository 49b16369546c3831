/**
 * `npm run audit`: what happened that somebody may have to answer for, oldest first. It reads the
 * directory, so that it works while the Worker does not.
 */
import { parseArgs } from 'node:util';

import { AuditRepo } from '../src/directory/audit-repo.ts';
import { PeopleRepo } from '../src/directory/people-repo.ts';
import { AUDIT_ACTIONS } from '../src/directory/types.ts';
import type { AuditLine } from '../src/directory/types.ts';
import { TARGET_OPTIONS, targetOf } from './lib/operator.ts';
import { faint, heading, pad, runScript, strong, withUsage, wrongUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run audit')} ${faint('[-- options]')}   who came, who was refused, who changed what

    --since TIME      30m, 1h, 7d (1d)
    --person ID       what a person did, or what was done to them
    --action ACTION   such as sign_in_refused
    --limit NUMBER    at most so many lines, the newest (200)
    --json            one JSON object a line
    --remote          of the deployment; without it, of the server on this machine
    --persist-to DIR  as given to npm start
`;

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws Stop with the usage */
function milliseconds(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (unit === '') throw wrongUsage('--since takes a number and m, h or d, such as 1h.', USAGE);
  return Number(count) * (UNITS[unit] ?? 0);
}

function render({ at, action, personId, clientId, grantId, requestId, detail }: AuditLine, names: Names): string {
  const time = new Date(at).toISOString().replace('T', ' ').slice(0, 19);
  const facts = { ...detail, app: clientId, grant: grantId, request: requestId };
  const told = Object.entries(facts).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${typeof value === 'string' ? (names.get(value) ?? value) : value}`],
  );
  const who = personId === undefined ? '' : `${names.get(personId) ?? personId}  `;
  return `  ${faint(time)}  ${pad(strong(action), 21)}  ${who}${faint(told.join(' '))}\n`;
}

type Names = ReadonlyMap<string, string>;

await runScript(async () => {
  const { values } = withUsage(USAGE, () =>
    parseArgs({
      options: {
        since: { type: 'string', default: '1d' },
        person: { type: 'string' },
        action: { type: 'string' },
        limit: { type: 'string', default: '200' },
        json: { type: 'boolean', default: false },
        ...TARGET_OPTIONS,
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  );
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const since = Date.now() - milliseconds(values.since);
  const action = AUDIT_ACTIONS.find((each) => each === values.action);
  if (values.action !== undefined && action === undefined)
    throw wrongUsage(`There is no such action. There are: ${AUDIT_ACTIONS.join(', ')}.`, USAGE);
  if (!/^[1-9]\d{0,4}$/.test(values.limit)) throw wrongUsage('--limit takes a number from 1 to 99999.', USAGE);

  const { d1 } = await targetOf(values, USAGE);
  const found = await new AuditRepo(d1).list({
    since,
    person: values.person,
    actions: action && [action],
    limit: Number(values.limit),
  });
  const lines = found.toReversed();
  if (values.json) return void process.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const ids = lines.flatMap(({ personId, detail }) => [personId, detail['by']]).filter((id) => typeof id === 'string');
  const names = await new PeopleRepo(d1).emails(ids);
  process.stdout.write(
    `${heading('Audit', `${lines.length} ${lines.length === 1 ? 'line' : 'lines'} of the last ${values.since}, UTC`)}\n\n`,
  );
  for (const line of lines) process.stdout.write(render(line, names));
  process.stdout.write('\n');
});
