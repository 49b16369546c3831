import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPortFree, nextFreePort } from './ports.ts';

/** One thing that was looked at. A `fault` is a sentence that says what to do. */
export interface Check {
  readonly title: string;
  readonly found: string;
  readonly fault?: string;
}

// What wrangler 4 asks for.
const OLDEST_NODE = [22, 12] as const;

/**
 * @param version of the Node.js that runs this
 * @param agent npm's `npm_config_user_agent`: it knows the Node.js of the machine, which began npm
 */
export function checkNode(version: string, agent = ''): Check {
  const machine = / node\/(v[\d.]+)/.exec(` ${agent}`)?.[1] ?? version;
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const old = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return {
    title: 'Node.js',
    found: machine === version ? version : `${version} (from node_modules; yours is ${machine})`,
    ...(old
      ? { fault: `Node.js ${version} is too old for wrangler. Start the scripts through npm, which brings its own.` }
      : {}),
  };
}

/** Compares what is installed with package.json, where every version is exact. */
export function checkDependencies(root: string): Check {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string> | undefined
  >;
  const wanted = Object.entries({ ...manifest['dependencies'], ...manifest['devDependencies'] });
  const wrong = wanted.flatMap(([name, version]) => {
    const file = join(root, 'node_modules', name, 'package.json');
    if (!existsSync(file)) return [`${name} is missing`];
    const installed = (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version;
    return installed === version ? [] : [`${name} is ${installed} instead of ${version}`];
  });
  return {
    title: 'Dependencies',
    found: `${wanted.length - wrong.length} of ${wanted.length} as in package.json`,
    ...(wrong.length === 0
      ? {}
      : { fault: `Run npm ci: ${wrong.slice(0, 5).join(', ')}${wrong.length > 5 ? ', …' : ''}.` }),
  };
}

/** Whether a local start can listen. Something that listens is no fault: it may be Carrel itself. */
export async function checkPort(port: number): Promise<Check & { readonly free: boolean }> {
  const title = `Port ${port}`;
  if (await isPortFree(port)) return { title, found: 'free', free: true };
  const next = await nextFreePort(port);
  return { title, found: `in use${next === undefined ? '' : `; npm start -- --port ${next} works`}`, free: false };
}

/** D1 applies migrations in the order of their names; two with one number have no certain order. */
export function checkMigrations(root: string): Check {
  const folder = join(root, 'migrations');
  const title = 'Migrations';
  if (!existsSync(folder))
    return { title, found: 'no folder', fault: 'The folder migrations/ is missing. Check it out again.' };
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted();
  const numbers = names.map((name) => /^\d+/.exec(name)?.[0]);
  const faults = [
    ...names.filter((_, index) => numbers[index] === undefined).map((name) => `${name} does not begin with a number`),
    ...names
      .filter((_, index) => numbers[index] !== undefined && numbers.indexOf(numbers[index]) !== index)
      .map((name) => `${name} has a number that is taken`),
    ...names.filter((name) => readFileSync(join(folder, name), 'utf8').trim() === '').map((name) => `${name} is empty`),
  ];
  return {
    title,
    found: names.length === 0 ? 'none' : `${names.length}, the newest is ${names.at(-1)}`,
    ...(faults.length === 0 ? {} : { fault: `Rename or mend in migrations/: ${faults.join(', ')}.` }),
  };
}
