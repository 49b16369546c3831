import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConformanceStack, PARTS, PROVIDERS, runConformance, scored } from '../../scripts/lib/conformance.ts';
import type { ConformanceReport, Outcome } from '../../scripts/lib/conformance.ts';
import { EXCEPTIONS, EXTENSIONS } from './expected.ts';
import type { Part } from './expected.ts';

/** What `npm run conformance` shows, a test a scenario. */

const stack = new ConformanceStack();
let report: ConformanceReport;

beforeAll(async () => {
  await stack.start();
  await stack.signIn();
  report = await runConformance(stack);
});
afterAll(() => stack.stop());

function found(part: Part, name: string, provider?: string): Outcome {
  const outcome = report.outcomes.find(
    (each) => each.part === part && each.name === name && each.provider === provider,
  );
  expect(outcome, `${name} was not run`).toBeDefined();
  return outcome!;
}

const required = (part: Part) => scored(part).filter((name) => !(name in EXCEPTIONS[part]));

describe.each(PARTS.filter((part) => part !== 'authorization'))('conformance %s', (part) => {
  it.each(required(part))('%s', (name) => {
    expect(found(part, name).faults).toEqual([]);
  });

  // A test of its own for what cannot pass: one that begins to pass must leave the list.
  it.for(Object.entries(EXCEPTIONS[part]))('%s cannot pass: %s', ([name]) => {
    expect(found(part, name).verdict).toBe('failed');
  });
});

describe('conformance of the Tasks extension', () => {
  it.each(EXTENSIONS)('%s', (name) => {
    expect(report.unscored.find((each) => each.part === '2026-07-28' && each.name === name)).toMatchObject({
      faults: [],
      passed: true,
    });
  });
});

// Nothing of it is an exception, with whomever somebody signs in.
describe.each(PROVIDERS)('conformance authorization, signed in with %s', (provider) => {
  it.each(scored('authorization'))('%s', (name) => {
    expect(found('authorization', name, provider).faults).toEqual([]);
  });
});
