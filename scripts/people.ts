/**
 * `npm run people`: who is here; disables, enables and deletes. The list is read from the directory.
 * What changes somebody is asked of the Worker, signed with its secret: the person's own object must
 * hear of it before the directory does.
 */
import { parseArgs } from 'node:util';

import type { PersonEntry } from '../src/directory/types.ts';
import { asObject, asText } from './lib/deploy/api.ts';
import { allPeople, operate, SERVER_OPTIONS, targetOf } from './lib/operator.ts';
import type { Target } from './lib/operator.ts';
import {
  faint,
  heading,
  MARKS,
  pad,
  paragraph,
  runScript,
  Stop,
  strong,
  withUsage,
  wrongUsage,
} from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run people -- list')}          who is here
  ${strong('npm run people -- disable ID')}    ends all access with the next call; nothing is lost
  ${strong('npm run people -- enable ID')}     gives it back; browsers sign in anew
  ${strong('npm run people -- delete ID')}     removes the person with workspace, files and grants, for good

    ID                an id or an e-mail address, as the list shows it
    --dry-run         say what would be done, and do nothing
    --yes             for delete, which does nothing without it
    --remote          the deployment; without it, the server on this machine, which must run
    --url URL         where that server is (http://localhost:8787)
    --persist-to DIR  as given to npm start
`;

const COMMANDS = ['disable', 'enable', 'delete'] as const;

const day = (at: number | undefined): string => (at === undefined ? 'never' : new Date(at).toISOString().slice(0, 10));

async function list({ d1, origin }: Target): Promise<void> {
  process.stdout.write(`${heading('People', origin)}\n\n`);
  let count = 0;
  for await (const { id, email, role, disabledAt, lastSignInAt } of allPeople(d1)) {
    count += 1;
    const state = disabledAt === undefined ? '' : `  ${MARKS.warning()} disabled ${day(disabledAt)}`;
    process.stdout.write(
      `  ${id}  ${pad(role, 8)} ${strong(email ?? '')}  ${faint(`last sign-in ${day(lastSignInAt)}`)}${state}\n`,
    );
  }
  process.stdout.write(`${count === 0 ? '  Nobody yet.\n' : ''}\n`);
}

/** The person of an id or an address. @throws Stop when there is none, or several */
async function find(d1: D1Database, named: string): Promise<PersonEntry> {
  const found: PersonEntry[] = [];
  for await (const person of allPeople(d1))
    if (person.id === named || person.email === named.toLowerCase()) found.push(person);
  const [person, second] = found;
  if (!person) throw new Stop(`There is no person ${named}. \`npm run people -- list\` shows who is here.`);
  if (second)
    throw new Stop(`Several people have this address. Name one of them by id: ${found.map(({ id }) => id).join(', ')}`);
  return person;
}

const WILL = {
  disable: 'Every access of theirs ends with the next call, and their browsers are signed out. Their data stays.',
  enable: 'Apps that they let in work again; in browsers they sign in anew.',
  delete:
    'Their workspace with its sessions, state and grants, the bytes of their files, their ways to sign in and their invitations are removed, for good.',
} as const;

await runScript(async () => {
  const { values, positionals } = withUsage(USAGE, () =>
    parseArgs({
      options: {
        'dry-run': { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
        ...SERVER_OPTIONS,
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: true,
    }),
  );
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const [word = 'list', named, ...more] = positionals;
  const command = COMMANDS.find((each) => each === word);
  if ((command === undefined && word !== 'list') || (command !== undefined && named === undefined) || more.length > 0)
    throw wrongUsage('Say list, or disable, enable or delete and whom.', USAGE);

  const target = await targetOf(values, USAGE);
  if (command === undefined || named === undefined) return list(target);
  const person = await find(target.d1, named);
  process.stdout.write(
    `${heading(`${command} ${person.email ?? person.id}`, `${person.role} at ${target.origin}`)}\n\n`,
  );
  process.stdout.write(`${paragraph(WILL[command])}\n`);
  if (command === 'delete') {
    const { apps } = await operate(target, { command: 'inspect', person: person.id });
    process.stdout.write(`${paragraph(`Connected apps: ${String(apps)}.`)}\n`);
    if (person.role === 'owner')
      process.stdout.write(`${paragraph('This is the owner. Afterwards the owner code claims this Carrel again.')}\n`);
  }
  if (values['dry-run'] || (command === 'delete' && !values.yes)) {
    const how = command === 'delete' ? ' To do it, run it with --yes and without --dry-run.' : '';
    process.stdout.write(`\n${paragraph(`Nothing was done.${how}`)}\n\n`);
    return;
  }
  const answer = await operate(target, { command, person: person.id });
  const disabled = asObject(answer['person'])['disabledAt'] !== undefined;
  const done =
    command === 'delete'
      ? `deleted, with ${String(answer['objects'])} stored files`
      : `${asText(asObject(answer['person'])['role']) ?? ''}, ${disabled ? 'disabled' : 'enabled'}`;
  process.stdout.write(`\n  ${MARKS.done()} ${person.email ?? person.id}: ${done}\n\n`);
});
