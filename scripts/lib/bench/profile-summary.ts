import type { Profile, ProfileNode } from './profiler.ts';
import type { SourcePlaces } from './source-places.ts';

export interface Group {
  /** A package, a file of this checkout, or a part of the runtime. */
  readonly name: string;
  /** µs, without what is called from there. */
  readonly self: number;
  /** Those that spend most come first. */
  readonly functions: readonly { readonly name: string; readonly self: number }[];
}

export interface Summary {
  /** µs in which the process was not idle. */
  readonly busy: number;
  readonly groups: readonly Group[];
}

const RUNTIME: Readonly<Record<string, string>> = {
  '(program)': 'the runtime itself',
  '(garbage collector)': 'garbage collection',
};
const NOT_BUSY = new Set(['(idle)', '(root)']);

/** µs that were spent in each node itself. */
function selfTimes({ samples, timeDeltas }: Profile): Map<number, number> {
  const times = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    // A delta is the time before its sample; a sample lasts until the next one.
    const time = Math.max(0, timeDeltas[index + 1] ?? 0);
    times.set(id, (times.get(id) ?? 0) + time);
  }
  return times;
}

/** Sums a profile up by where the time was spent. */
export function summarise(profile: Profile, places: SourcePlaces): Summary {
  const times = selfTimes(profile);
  const groups = new Map<string, Map<string, number>>();
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  let busy = 0;
  const add = (group: string, name: string, time: number) => {
    const functions = groups.get(group) ?? new Map<string, number>();
    groups.set(group, functions.set(name, (functions.get(name) ?? 0) + time));
  };
  const walk = (node: ProfileNode, caller: string): void => {
    const { functionName } = node.callFrame;
    const runtime = RUNTIME[functionName];
    const place = places.find(node.callFrame);
    // What is built in has no source: it is its caller that spends the time.
    const group = place?.group ?? runtime ?? caller;
    const time = NOT_BUSY.has(functionName) ? 0 : (times.get(node.id) ?? 0);
    busy += time;
    if (time > 0)
      add(group, place?.name ?? (runtime === undefined && functionName !== '' ? `‹${functionName}›` : ''), time);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child) walk(child, group);
    }
  };
  const [root] = profile.nodes;
  if (root) walk(root, 'the runtime itself');
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  return {
    busy,
    groups: [...groups]
      .map(([name, functions]) => ({
        name,
        self: sum(functions.values()),
        functions: [...functions]
          .map(([each, self]) => ({ name: each, self }))
          .filter((each) => each.name !== '')
          .toSorted((left, right) => right.self - left.self),
      }))
      .toSorted((left, right) => right.self - left.self),
  };
}
