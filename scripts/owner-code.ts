/**
 * `npm run owner-code`: the code with which whoever deployed Carrel becomes its owner, at /claim.
 * `-- --remote` is for the deployed Worker. It is made of the secret, which is never shown.
 */
import { parseArgs } from 'node:util';

import { ownerCode, SERVER_OPTIONS, targetOf } from './lib/operator.ts';
import { heading, link, paragraph, runScript, strong, withUsage, faint } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run owner-code')} ${faint('[-- --remote]')}   the code that claims a deployment, once

    --remote          of the deployed Worker; without it, of the server on this machine
    --url URL         where that server is (http://localhost:8787)
    --persist-to DIR  as given to npm start
`;

await runScript(async () => {
  const { values } = withUsage(USAGE, () =>
    parseArgs({
      options: {
        ...SERVER_OPTIONS,
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  );
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const target = await targetOf(values, USAGE);
  const code = await ownerCode(target.secrets, target.source);
  const note =
    'It works until somebody owns this Carrel, and whoever has it can be that: give it to nobody. ' +
    'Type it on that page, then sign in.';
  process.stdout.write(
    `${heading('Owner code', values.remote ? 'of the deployment' : 'of the server on this machine')}\n\n  ${strong(code)}\n\n` +
      `  ${link(`${target.origin}/claim`)}\n\n${paragraph(note)}\n\n`,
  );
});
