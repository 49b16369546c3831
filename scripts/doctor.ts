/**
 * `npm run doctor`: is this machine ready, and is the configuration right? `-- --deployed` asks the same
 * of the deployed Worker. Lists every fault at once; never shows a secret.
 */
import { parseArgs } from 'node:util';
import { type Check, checkDependencies, checkMigrations, checkNode, checkPort } from './lib/checks.ts';
import { ROOT } from './lib/paths.ts';
import { faint, heading, MARKS, pad, paragraph, runScript, strong, withUsage } from './lib/terminal.ts';

const PORT = 8787;

const USAGE = `
  ${strong('npm run doctor')} ${faint('[-- --deployed]')}   every setting, and everything wrong

    --deployed   of the deployed Worker; without it, of this checkout
`;

function show(check: Check): void {
  const mark = check.fault === undefined ? MARKS.done() : MARKS.fault();
  process.stdout.write(`  ${mark} ${pad(check.title, 16)}${check.found}\n`);
}

await runScript(async () => {
  const { values } = withUsage(USAGE, readArguments);
  if (values.help) return void process.stdout.write(`${USAGE}\n`);

  process.stdout.write(`${heading('Carrel', values.deployed ? 'how the deployment is' : 'how this checkout is')}\n\n`);
  const dependencies = checkDependencies(ROOT);
  const port = values.deployed ? undefined : await checkPort(PORT);
  const checks = [
    checkNode(process.version, process.env['npm_config_user_agent']),
    dependencies,
    checkMigrations(ROOT),
    ...(port === undefined ? [] : [port]),
  ];
  for (const check of checks) show(check);
  const faults = checks.flatMap(({ fault }) => fault ?? []);

  // The rest needs wrangler and zod.
  if (dependencies.fault === undefined) {
    const { inspectDeployment, inspectLocal, renderSettings } = await import('./lib/settings-report.ts');
    const report = values.deployed ? await inspectDeployment(ROOT, process.env) : await inspectLocal(ROOT);
    for (const check of report.checks) show(check);
    process.stdout.write(`${heading('Settings', report.source)}\n\n${renderSettings(report)}\n`);
    faults.push(...report.checks.flatMap(({ fault }) => fault ?? []));
    faults.push(...report.faults.map(({ setting, problem }) => `${setting} ${problem}.`));
  }

  if (faults.length === 0) {
    process.stdout.write(
      `\n  ${MARKS.done()} ${strong('No faults.')}${port?.free === true ? faint('  npm start is next.') : ''}\n\n`,
    );
    return;
  }
  process.stdout.write(`\n  ${strong(faults.length === 1 ? 'One fault' : `${faults.length} faults`)}\n`);
  for (const fault of faults) process.stdout.write(`  ${MARKS.fault()} ${paragraph(fault, 4).trimStart()}\n`);
  process.stdout.write('\n');
  process.exitCode = 1;
});

function readArguments() {
  return parseArgs({
    options: { deployed: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
}
