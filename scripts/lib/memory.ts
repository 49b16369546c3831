import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

interface Process {
  readonly group: number;
  readonly name: string;
  /** Bytes that it has in memory. */
  readonly resident: number;
}

/** All processes; those that end while they are looked at are left out. */
function processes(): Process[] {
  if (process.platform !== 'linux') return processesByPs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The name is in parentheses and may hold anything; the group is the third field after it.
        const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        return [{ group: Number(rest.split(' ')[2]), name, resident: Number(kilobytes ?? 0) * 1024 }];
      } catch {
        return [];
      }
    });
}

function processesByPs(): Process[] {
  const output = execFileSync('ps', ['-A', '-o', 'pgid=,rss=,comm='], { encoding: 'utf8' });
  return [...output.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map(([, group, kilobytes, name = '']) => ({
    group: Number(group),
    name: name.split('/').at(-1) ?? '',
    resident: Number(kilobytes) * 1024,
  }));
}

/**
 * Bytes that the workerd processes of a process group have in memory: the one that runs the Worker
 * and its storage, and the one of `wrangler dev` that stands in front of it.
 */
function workerdMemory(group: number): number {
  const own = processes().filter((each) => each.group === group && each.name === 'workerd');
  if (own.length === 0) throw new Error('no workerd runs in this process group');
  return own.reduce((sum, { resident }) => sum + resident, 0);
}

export interface MemoryUse {
  readonly before: number;
  readonly peak: number;
  readonly after: number;
  readonly samples: number;
}

/** Watches the workerd processes of a group while something runs. */
export async function watchMemory<Result>(
  group: number,
  run: () => Promise<Result>,
): Promise<MemoryUse & { readonly result: Result }> {
  const before = workerdMemory(group);
  let peak = before;
  let samples = 1;
  const look = () => {
    const now = workerdMemory(group);
    peak = Math.max(peak, now);
    samples += 1;
    return now;
  };
  const timer = setInterval(look, 50);
  try {
    const result = await run();
    const after = look();
    return { before, peak, after, samples, result };
  } finally {
    clearInterval(timer);
  }
}
