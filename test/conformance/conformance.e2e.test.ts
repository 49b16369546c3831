import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConformanceStack, PARTS, runConformance, scored } from '../../scripts/lib/conformance.ts';
import type { ConformanceReport, Outcome } from '../../scripts/lib/conformance.ts';
import { EXCEPTIONS } from './expected.ts';

/** What `npm run conformance` shows, a test a scenario. */

const stack = new ConformanceStack();
let report: ConformanceReport;

beforeAll(async () => {
  await stack.start();
  await stack.signIn();
  report = await runConformance(stack);
});
afterAll(() => stack.stop());

describe.each(PARTS)('conformance %s', (part) => {
  const found = (name: string): Outcome => {
    const outcome = report.outcomes.find((each) => each.part === part && each.name === name);
    expect(outcome, `${name} was not run`).toBeDefined();
    return outcome!;
  };
  const exceptions = EXCEPTIONS[part];

  it.each(scored(part).filter((name) => !(name in exceptions)))('%s', (name) => {
    expect(found(name).faults).toEqual([]);
  });

  // A test of its own for what cannot pass: one that begins to pass must leave the list.
  it.for(Object.entries(exceptions))('%s cannot pass: %s', ([name]) => {
    expect(found(name).verdict).toBe('failed');
  });
});
