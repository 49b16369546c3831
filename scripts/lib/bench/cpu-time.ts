import { readdirSync, readFileSync } from 'node:fs';

/** Of Linux, on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The name is in parentheses and may hold anything; the fields are counted from behind it.
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
        return [{ pid: Number(pid), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
      } catch {
        return [];
      }
    });
}

/**
 * Seconds that the processes below this one have computed: the servers, of which one is busy at a time.
 * Unlike requests a second it hardly depends on what else the machine does. Only Linux tells.
 */
export function serverCpuSeconds(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const all = processes();
  const family = new Set([process.pid]);
  for (let grown = true; grown;) {
    const children = all.filter(({ pid, parent }) => family.has(parent) && !family.has(pid));
    for (const { pid } of children) family.add(pid);
    grown = children.length > 0;
  }
  const ticks = all
    .filter(({ pid }) => family.has(pid) && pid !== process.pid)
    .reduce((sum, each) => sum + each.ticks, 0);
  return ticks / TICKS_PER_SECOND;
}
