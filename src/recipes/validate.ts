import type * as z from 'zod';

import type { Json } from '../jobs/definition.ts';
import { utf8 } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { isNestedWithin } from '../lib/json.ts';
import { checkInputs, schemaFaults } from './inputs.ts';
import { MAX_PLAN_BYTES, MAX_STEPS, plan as planSchema } from './model.ts';
import type { Plan } from './model.ts';
import { Walk } from './walk.ts';
import type { Fault } from './walk.ts';
import type { ToolInfo } from './tool-port.ts';

/** Faults of one plan that are told. */
const MAX_FAULTS = 20;
/** A plan that is nested deeper is refused unread. Blocks, conditions and arguments together stay below. */
const MAX_NESTING = 64;

export interface CheckedPlan {
  readonly plan: Plan;
  readonly inputs: Readonly<Record<string, Json>>;
  /** What its tools need, in alphabetical order. */
  readonly scopes: readonly string[];
  /** As they are written. */
  readonly steps: number;
}

/**
 * Checks a plan wholly, before anything of it is done.
 *
 * @param raw JSON of whatever shape
 * @param given what it is started with; undefined for a plan that is only kept
 * @throws CarrelError `invalid_input` that names every fault with its place, at most {@link MAX_FAULTS}; `too_large`
 */
export function checkPlan(
  raw: unknown,
  tools: (name: string) => ToolInfo | undefined,
  given?: Readonly<Record<string, Json>>,
): CheckedPlan {
  if (!isNestedWithin(raw, MAX_NESTING))
    throw new CarrelError('invalid_input', `The plan is nested deeper than ${MAX_NESTING} levels.`);
  // Before its size, which would say less.
  const { steps } = (raw ?? {}) as { readonly steps?: unknown };
  if (Array.isArray(steps) && steps.length > MAX_STEPS)
    throw new CarrelError('too_large', `The plan has ${steps.length} steps, and at most ${MAX_STEPS} may be written.`);
  if (utf8(JSON.stringify(raw) ?? '').length > MAX_PLAN_BYTES)
    throw new CarrelError('too_large', `The plan is larger than ${MAX_PLAN_BYTES / 1024} KB.`);
  const parsed = planSchema.safeParse(raw);
  if (!parsed.success) throw refusal(parsed.error.issues.flatMap((issue) => schemaFault(issue, '')));
  const plan = parsed.data;
  const { inputs, faults } = given ? checkInputs(plan.inputs, given) : { inputs: {}, faults: [] };
  const walk = new Walk(plan, tools, given ? inputs : undefined);
  walk.begin();
  const all = [
    ...schemaFaults(plan.inputs).map((problem) => ({ place: 'inputs', problem })),
    ...faults.map((problem) => ({ place: '', problem })),
    ...walk.faults,
  ];
  if (all.length > 0) throw refusal(all);
  return { plan, inputs, scopes: [...walk.scopes].toSorted(), steps: walk.steps };
}

/** A plan that was checked, and its inputs. */
export function readPlan(
  raw: unknown,
  given: Readonly<Record<string, Json>>,
): { readonly plan: Plan; readonly inputs: Readonly<Record<string, Json>> } {
  const plan = planSchema.parse(raw);
  return { plan, inputs: checkInputs(plan.inputs, given).inputs };
}

function refusal(faults: readonly Fault[]): CarrelError {
  const told = faults
    .slice(0, MAX_FAULTS)
    .map(({ place, problem }) => (place === '' ? problem : `${place}: ${problem}`));
  const more = faults.length > MAX_FAULTS ? `; and ${faults.length - MAX_FAULTS} more` : '';
  return new CarrelError('invalid_input', `The recipe does not fit: ${told.join('; ')}${more}.`);
}

/** A place as JavaScript would write it. */
function placeOf(path: readonly PropertyKey[], base: string): string {
  return path.reduce<string>((before, segment) => {
    if (typeof segment === 'number') return `${before}[${segment}]`;
    const name = String(segment).slice(0, 40);
    return before === '' ? name : `${before}.${name}`;
  }, base);
}

/** What is wrong of the shape, never what was sent. */
function schemaFault(issue: z.core.$ZodIssue, base: string): Fault[] {
  const place = placeOf(issue.path, base);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, 5).map((key) => ({ place, problem: `there is no field \`${key.slice(0, 40)}\`` }));
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element')
    return issue.issues.slice(0, 1).map(({ message }) => ({ place, problem: message }));
  return [{ place, problem: issue.message }];
}
