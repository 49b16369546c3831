/**
 * `npm run deploy`: a first deployment and every later one. The account is the only record: what is
 * there is found by name, what is missing is made. See docs/deploy.md.
 */
import { runDeploy } from './lib/deploy/run.ts';
import { ROOT } from './lib/paths.ts';
import { runScript } from './lib/terminal.ts';

await runScript(async () => {
  await runDeploy({
    args: process.argv.slice(2),
    root: ROOT,
    env: process.env,
    write: (text) => void process.stdout.write(text),
    patience: 60_000,
  });
});
