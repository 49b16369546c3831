import type { Case } from './cases.ts';
import { serverCpuSeconds } from './cpu-time.ts';
import { measure } from './load.ts';
import type { Load } from './load.ts';

/** A case in one round. */
export interface Sample {
  readonly answers: number;
  readonly perSecond: number;
  /** µs of CPU time that the server took for an answer, where the system tells. */
  readonly cpu: number | undefined;
}

export interface Series {
  readonly measured: Case;
  /** One a round, in their order. */
  readonly samples: readonly Sample[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/**
 * The median of what the rounds say of one case against another: within a round the machine was about
 * the same for both. Undefined where one of them was not measured, or not that way.
 */
function compared(
  all: readonly Series[],
  names: readonly [string, string],
  compare: (sample: Sample, other: Sample) => number,
): number | undefined {
  const [samples, others] = names.map((name) => all.find(({ measured }) => measured.name === name)?.samples);
  if (!samples || !others) return undefined;
  const values = samples.flatMap((sample, round) => {
    const other = others[round];
    return other ? [compare(sample, other)] : [];
  });
  const value = median(values);
  return Number.isFinite(value) ? value : undefined;
}

/** How many requests one case answers in the time in which another answers one. */
export function rateRatio(all: readonly Series[], name: string, to: string): number | undefined {
  return compared(all, [name, to], (sample, other) => sample.perSecond / other.perSecond);
}

/** The same by the CPU time of the servers. */
export function cpuRatio(all: readonly Series[], name: string, to: string): number | undefined {
  return compared(all, [name, to], ({ cpu = Number.NaN }, other) => (other.cpu ?? Number.NaN) / cpu);
}

/** A case, for so many seconds. @throws Error that says which case went wrong */
export async function takeSample({ name }: Case, load: Load, seconds: number): Promise<Sample> {
  const before = serverCpuSeconds();
  try {
    const { answers, perSecond } = await measure(load, seconds);
    const after = serverCpuSeconds();
    const cpu = before === undefined || after === undefined ? undefined : ((after - before) / answers) * 1e6;
    return { answers, perSecond, cpu };
  } catch (thrown) {
    throw new Error(`${name} does not answer as it should`, { cause: thrown });
  }
}
