/**
 * `npm run files`: compares the index of each workspace with the bucket, both ways. The Worker does it, because only
 * it reaches the objects; each request is signed with its secret.
 */
import { parseArgs } from 'node:util';

import { parseComparison } from './lib/comparison.ts';
import type { Comparison } from './lib/comparison.ts';
import { asObject } from './lib/deploy/api.ts';
import { allPeople, operate, SERVER_OPTIONS, targetOf } from './lib/operator.ts';
import type { Target } from './lib/operator.ts';
import { faint, heading, MARKS, pad, paragraph, runScript, strong, withUsage, wrongUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run files')} ${faint('[-- options]')}   compares the index of files with the bucket, both ways

    --mend            give objects that no index names to the next sweep
    --hours N         only those that are older (24)
    --remote          the deployment; without it, the server on this machine, which must run
    --url URL         where that server is (http://localhost:8787)
    --persist-to DIR  as given to npm start

  Exit status 1 when bytes are missing that an index names.
`;

/** Everybody who has objects or is here: of somebody who was deleted, nothing must be left. */
async function workspaces(target: Target): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { workspaces: ids } = await operate(target, { command: 'list_workspaces' });
  for (const id of Array.isArray(ids) ? ids : []) found.set(String(id), 'nobody who is here');
  for await (const { id, email } of allPeople(target.d1)) found.set(id, email ?? id);
  return found;
}

function size(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} KB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** A line for each workspace; below it, what is wrong there. */
function report(name: string, found: Comparison): string {
  const { objects, bytes, orphans, orphanedBytes, mended, missing, lost } = found;
  const mark = missing > 0 ? MARKS.fault() : orphans > mended ? MARKS.warning() : MARKS.done();
  const lines = [
    `  ${mark} ${pad(name, 34)} ${faint(`${objects.toLocaleString('en')} ${objects === 1 ? 'object' : 'objects'}, ${size(bytes)}`)}`,
  ];
  if (orphans > 0)
    lines.push(
      `      ${orphans} that no index names, ${size(orphanedBytes)}${mended > 0 ? `; ${mended} given to the next sweep` : ''}`,
    );
  if (missing > 0) lines.push(`      ${missing} that are missing, or have another size:`);
  for (const { objectKey, files } of lost) lines.push(`        ${objectKey}  ${faint(files.join(', '))}`);
  return `${lines.join('\n')}\n`;
}

await runScript(async () => {
  const { values, positionals } = withUsage(USAGE, () =>
    parseArgs({
      options: {
        mend: { type: 'boolean', default: false },
        hours: { type: 'string', default: '24' },
        ...SERVER_OPTIONS,
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: true,
    }),
  );
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  if (positionals.length > 0) throw wrongUsage('It takes options only.', USAGE);
  const hours = Number(values.hours);
  if (!(hours >= 0 && hours <= 100_000)) throw wrongUsage('--hours takes a number from 0.', USAGE);

  const target = await targetOf(values, USAGE);
  process.stdout.write(`${heading('Index and bucket', target.origin)}\n\n`);
  let [orphans, mended, missing] = [0, 0, 0];
  for (const [workspace, name] of await workspaces(target)) {
    const answer = await operate(target, { command: 'compare_files', workspace, mend: values.mend, hours });
    const found = parseComparison(asObject(answer));
    process.stdout.write(report(name, found));
    orphans += found.orphans;
    mended += found.mended;
    missing += found.missing;
  }
  const verdict = [
    missing === 0 ? 'All that the indexes name is there.' : `Bytes are missing: ${missing}. No sweep took them.`,
    orphans === 0
      ? 'All that is there is named.'
      : mended > 0
        ? `Given to the next sweep: ${mended}.`
        : `Named nowhere: ${orphans}. With --mend the next sweep removes them.`,
  ].join(' ');
  process.stdout.write(`\n${paragraph(verdict)}\n\n`);
  if (missing > 0) process.exitCode = 1;
});
