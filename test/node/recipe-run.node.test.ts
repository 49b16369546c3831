import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import type { Json } from '../../src/jobs/definition.ts';
import { CarrelError } from '../../src/lib/errors.ts';
import { PlanRunner } from '../../src/recipes/interpret.ts';
import type { Step } from '../../src/recipes/model.ts';
import { checkPlan } from '../../src/recipes/validate.ts';
import { CrashingJob } from '../support/crashing-job.ts';

const anything = z.object({});
const info = () => ({ scope: 'things:write', input: anything });

const ref = (path: string) => ({ $ref: path });
const call = (id: string, input: Record<string, unknown> = {}) => ({ do: 'tool', id, tool: 'thing', arguments: input });

async function started(raw: unknown, job = new CrashingJob(), given: Record<string, Json> = {}): Promise<Json> {
  const { plan, inputs } = checkPlan(raw, info, given);
  return job.complete(async (run, { call: callTool }) => new PlanRunner(run, { call: callTool }, inputs).run(plan));
}

const done = (job: CrashingJob) => [...job.effects.keys()];

describe('a run', () => {
  it('does its steps in their order and gives what the last one gave', async () => {
    const job = new CrashingJob({ answer: (_tool, input) => ({ ...input, made: true }) });
    expect(
      await started(
        { steps: [call('a', { n: 1 }), call('b', { n: ref('steps.a.n'), was: ref('steps.a.made') })] },
        job,
      ),
    ).toEqual({
      n: 1,
      was: true,
      made: true,
    });
    expect(done(job)).toEqual(['a', 'b']);
  });

  it('gives what the plan says', async () => {
    const result = {
      all: ref('steps.l'),
      first: ref('steps.l[0].n'),
      many: ref('steps.l.length'),
      says: { $text: '${steps.l.length} of ${inputs.list}, $${x}' },
    };
    const plan = {
      inputs: { properties: { list: { type: 'array' } } },
      steps: [{ do: 'for_each', id: 'l', items: ref('inputs.list'), steps: [call('x', { n: ref('item') })] }],
      result,
    };
    expect(await started(plan, undefined, { list: [7, 8] })).toEqual({
      all: [{ n: 7 }, { n: 8 }],
      first: 7,
      many: 2,
      says: '2 of [7,8], ${x}',
    });
  });

  it('takes what looks like a template and is none as it is', async () => {
    expect(await started({ steps: [call('a', { script: 'echo ${HOME}', of: { $literal: { $ref: 'x' } } })] })).toEqual({
      script: 'echo ${HOME}',
      of: { $ref: 'x' },
    });
  });

  it('runs branches side by side, and knows afterwards what both gave', async () => {
    const job = new CrashingJob();
    const branches = { left: [call('l1'), call('l2', { n: 1 })], right: [call('r1', { n: 2 })] };
    const steps = [{ do: 'parallel', id: 'p', branches }, call('end', { all: ref('steps.p'), one: ref('steps.l2.n') })];
    expect(await started({ steps }, job)).toEqual({ all: { left: { n: 1 }, right: { n: 2 } }, one: 1 });
    expect(job.widest).toBe(2);
  });

  it('goes through a list, by default one after another, and with loops in loops', async () => {
    const job = new CrashingJob();
    const inner = {
      do: 'for_each',
      id: 'in',
      items: ref('item'),
      steps: [call('x', { at: [ref('each.out.index'), ref('index'), ref('item')] })],
    };
    const plan = {
      steps: [
        {
          do: 'for_each',
          id: 'out',
          items: [['a', 'b'], ['c']],
          steps: [inner, call('y', { n: ref('steps.in.length') })],
        },
      ],
    };
    expect(await started(plan, job)).toEqual([{ n: 2 }, { n: 1 }]);
    expect(done(job)).toEqual(['out[0].in[0].x', 'out[0].in[1].x', 'out[0].y', 'out[1].in[0].x', 'out[1].y']);
    expect(job.effects.get('out[1].in[0].x')?.input).toEqual({ at: [1, 0, 'c'] });
    expect(job.widest).toBe(1);
  });

  it('goes through a list with no more at once than it may', async () => {
    const job = new CrashingJob();
    const items = Array.from({ length: 50 }, (_, n) => n);
    const plan = {
      steps: [{ do: 'for_each', id: 'l', items, concurrency: 4, steps: [call('x', { n: ref('item') })] }],
    };
    expect(await started(plan, job)).toEqual(items.map((n) => ({ n })));
    expect(job.widest).toBe(4);
  });

  it.each([
    ['equal texts', { equals: [ref('inputs.a'), 'x'] }, true],
    [
      'equal objects, in whatever order',
      {
        equals: [
          { a: 1, b: [ref('inputs.a')] },
          { b: ['x'], a: 1 },
        ],
      },
      true,
    ],
    ['unequal kinds', { equals: [1, '1'] }, false],
    ['a greater number', { gt: [ref('inputs.n'), 2] }, true],
    ['a number that is not greater', { gt: [3, ref('inputs.n')] }, false],
    ['a text and a number', { gt: ['9', 2] }, false],
    ['a lesser text', { lt: ['a', 'b'] }, true],
    ['one of a list', { in: [ref('inputs.n'), [1, 2, 3]] }, true],
    ['none of a list', { in: [9, ref('inputs.list')] }, false],
    ['in what is no list', { in: ['x', 'xyz'] }, false],
    ['what is there', { exists: ref('inputs.list[0]') }, true],
    ['what is not there', { exists: ref('inputs.list[7].name') }, false],
    ['not', { not: { equals: [1, 1] } }, false],
    ['and', { and: [{ equals: [1, 1] }, { exists: ref('inputs.none') }] }, false],
    ['or', { or: [{ equals: [1, 2] }, { exists: ref('inputs.n') }] }, true],
    ['what is missing equals null', { equals: [ref('inputs.none'), null] }, true],
  ])('decides by %s', async (_what, condition, expected) => {
    const job = new CrashingJob();
    const properties = {
      a: { type: 'string' },
      n: { type: 'number' },
      list: { type: 'array' },
      none: { type: 'string' },
    };
    const steps = [{ do: 'when', id: 'w', condition, steps: [call('yes')], else: [call('no')] }];
    await started({ inputs: { properties }, steps }, job, { a: 'x', n: 3, list: [1] });
    expect(done(job)).toEqual([expected ? 'yes' : 'no']);
  });

  it('sleeps for as long as it says, from when it first came there', async () => {
    let asked = 0;
    const job = new CrashingJob({ crashes: () => ++asked % 3 === 0 });
    const begun = job.now;
    await started(
      {
        steps: [
          { do: 'sleep', id: 's', seconds: 3600 },
          { do: 'sleep', id: 't', until: '2026-11-20T20:00:00+01:00' },
          call('a'),
        ],
      },
      job,
    );
    expect(job.runs).toBeGreaterThan(1);
    expect(job.sleeps.slice(0, 1)).toEqual(['s']);
    expect(job.now).toBe(begun + 11 * 3_600_000);
  });

  it('asks a person, and shows what is asked for', async () => {
    const job = new CrashingJob();
    const steps = [
      call('a', { title: 'Wells' }),
      {
        do: 'approve',
        id: 'ok',
        summary: { $text: 'Publish ${steps.a.title}?' },
        details: ref('steps.a'),
        files: ['fil_1'],
        hours: 2,
      },
      call('b', { ok: ref('steps.ok.approved') }),
    ];
    expect(await started({ steps }, job)).toEqual({ ok: true });
    expect(job.approvals).toEqual([
      {
        summary: 'Publish Wells?',
        action: 'recipe_run',
        arguments: { step: 'ok', details: { title: 'Wells' } },
        files: ['fil_1'],
        within: 7_200_000,
      },
    ]);
  });

  it('ends when a person says no', async () => {
    const job = new CrashingJob({
      approve: () => {
        throw new CarrelError('forbidden', 'Somebody said no.');
      },
    });
    await expect(started({ steps: [{ do: 'approve', id: 'ok', summary: 'May I?' }, call('a')] }, job)).rejects.toThrow(
      'said no',
    );
    expect(done(job)).toEqual([]);
  });

  it('fails when a branch fails, after the others have come to their end', async () => {
    const job = new CrashingJob({
      answer: (_tool, input, name) => {
        if (name === 'l1') throw new CarrelError('not_found', 'There is none.');
        return input;
      },
    });
    const branches = { left: [call('l1'), call('l2')], right: [call('r1'), call('r2'), call('r3')] };
    await expect(started({ steps: [{ do: 'parallel', id: 'p', branches }, call('end')] }, job)).rejects.toThrow(
      'There is none.',
    );
    expect(done(job).toSorted()).toEqual(['r1', 'r2', 'r3']);
  });

  it('begins no further round when one failed', async () => {
    const job = new CrashingJob({
      answer: (_tool, input) => {
        if (input['n'] === 3) throw new CarrelError('not_found', 'There is none.');
        return input;
      },
    });
    const items = Array.from({ length: 50 }, (_, n) => n);
    const plan = { steps: [{ do: 'for_each', id: 'l', items, steps: [call('x', { n: ref('item') })] }] };
    await expect(started(plan, job)).rejects.toThrow('There is none.');
    expect(done(job)).toEqual(['l[0].x', 'l[1].x', 'l[2].x']);
  });
});

describe('a run ends with a refusal', () => {
  const refusal = async (plan: unknown, job?: CrashingJob) =>
    started(plan, job).then(
      () => 'none',
      (error: unknown) => (error instanceof CarrelError ? error.message : 'no refusal'),
    );

  it('where a reference leads nowhere', async () => {
    expect(await refusal({ steps: [call('a', { n: 1 }), call('b', { x: ref('steps.a.items[3].id') })] })).toContain(
      'refers to `steps.a.items[3].id`, and there is nothing',
    );
    expect(await refusal({ steps: [call('a'), call('b', { x: ref('steps.a.constructor') })] })).toContain(
      'there is nothing',
    );
  });

  it('where a loop has no list, or one that is too long', async () => {
    const loop = { do: 'for_each', id: 'l', items: ref('steps.a.list'), steps: [call('x')] };
    expect(await refusal({ steps: [call('a', { list: 'abc' }), loop] })).toContain('is no list');
    const long = new CrashingJob({ answer: () => ({ list: Array.from({ length: 1001 }, () => 0) }) });
    expect(await refusal({ steps: [call('a'), loop] }, long)).toContain('has 1001 items');
  });

  it('where more is done than may be', async () => {
    const job = new CrashingJob({
      answer: (_tool, input) => ({ ...input, list: Array.from({ length: 80 }, () => 0) }),
    });
    const inner = { do: 'for_each', id: 'm', items: ref('steps.a.list'), concurrency: 10, steps: [call('x')] };
    const outer = { do: 'for_each', id: 'l', items: ref('steps.a.list'), steps: [inner] };
    expect(await refusal({ steps: [call('a'), outer] }, job)).toContain('more than 5000 steps');
    expect(job.effects.size).toBeLessThanOrEqual(5000);
  });

  it('where a step gives too much, or takes too much, or all of them', async () => {
    const large = (characters: number) => new CrashingJob({ answer: () => ({ text: 'x'.repeat(characters) }) });
    expect(await refusal({ steps: [call('a')] }, large(260_000))).toContain(
      'What `a` gave is more than 250,000 characters',
    );
    const twice = call('b', { all: Array.from({ length: 2 }, () => ref('steps.a.text')) });
    expect(await refusal({ steps: [call('a'), twice] }, large(200_000))).toContain('more than 250,000 characters');
    const loop = { do: 'for_each', id: 'l', items: Array.from({ length: 100 }, () => 0), steps: [call('x')] };
    expect(await refusal({ steps: [loop] }, large(200_000))).toContain('more than 16 MB');
  });

  it('where there is no time to wait for', async () => {
    for (const until of ['tomorrow', '2026-11-20', 7, null])
      expect(await refusal({ steps: [call('a'), { do: 'sleep', id: 's', until }] })).toContain(
        'has no time to wait for',
      );
  });
});

describe('a run that is stopped again and again', () => {
  it('does everything once, in an allowed order, and gives the same as one that never was', async () => {
    let stopped = 0;
    await fc.assert(
      fc.asyncProperty(plans(), fc.infiniteStream(fc.nat(99)), fc.nat(40), async (plan, dice, percent) => {
        const smooth = new CrashingJob();
        const expected = await started(plan, smooth);
        const job = new CrashingJob({ crashes: () => (dice.next().value as number) < percent });
        expect(await started(plan, job)).toEqual(expected);
        expect(Object.fromEntries(job.effects)).toEqual(Object.fromEntries(smooth.effects));
        expect(job.deviations).toEqual([]);
        expect(job.approvals.length).toBeGreaterThanOrEqual(smooth.approvals.length);
        expect(inOrder(checkPlan(plan, info).plan.steps, done(job))).toBe(true);
        stopped += job.runs - 1;
      }),
      { numRuns: 300 },
    );
    expect(stopped).toBeGreaterThan(1000);
  });
});

/** Whether of each two steps of a list all that the first did was done before anything that the second did. */
function inOrder(steps: readonly Step[], order: readonly string[], prefix = ''): boolean {
  const placesOf = (step: Step): number[] =>
    order.flatMap((name, at) => (idsWithin(step).some((id) => nameBegins(name, prefix, id)) ? [at] : []));
  let last = -1;
  for (const step of steps) {
    const places = placesOf(step);
    if (places.some((at) => at < last)) return false;
    last = Math.max(last, ...places);
    if (step.do === 'parallel' && !Object.values(step.branches).every((list) => inOrder(list, order, prefix)))
      return false;
    if (step.do === 'when' && !(inOrder(step.steps, order, prefix) && inOrder(step.else, order, prefix))) return false;
    const rounds = step.do === 'for_each' ? [0, 1, 2, 3] : [];
    for (const round of rounds)
      if (step.do === 'for_each' && !inOrder(step.steps, order, `${prefix}${step.id}[${round}].`)) return false;
  }
  return true;
}

const nameBegins = (name: string, prefix: string, id: string) =>
  name === `${prefix}${id}` || name.startsWith(`${prefix}${id}[`);

/** The ids under which a step does something: its own, and of blocks without rounds those within. */
function idsWithin(step: Step): string[] {
  if (step.do === 'parallel') return Object.values(step.branches).flatMap((list) => list.flatMap(idsWithin));
  if (step.do === 'when') return [...step.steps, ...step.else].flatMap(idsWithin);
  return [step.id];
}

/** Plans that are right: each step has an id of its own and refers to steps before it. */
function plans(): fc.Arbitrary<{ steps: unknown[] }> {
  return fc.infiniteStream(fc.nat(1000)).map((numbers) => {
    let ids = 0;
    const pick = (below: number) => (numbers.next().value as number) % below;
    const list = (depth: number, loops: number, before: readonly string[]): unknown[] => {
      const there = [...before];
      return Array.from({ length: 1 + pick(3) }, () => {
        const id = `s${++ids}`;
        const value = () => (there.length > 0 && pick(2) === 0 ? ref(`steps.${there[pick(there.length)]}`) : ids);
        const kind = depth === 0 ? pick(4) : pick(8);
        const deeper = (isLoop = false) => list(depth - 1, loops + (isLoop ? 1 : 0), there);
        const step =
          kind === 4
            ? { do: 'parallel', id, branches: { l: deeper(), r: deeper() } }
            : kind === 5 && loops < 2
              ? {
                  do: 'for_each',
                  id,
                  items: Array.from({ length: pick(4) }, (_, n) => n),
                  concurrency: 1 + pick(3),
                  steps: deeper(true),
                }
              : kind === 6
                ? { do: 'when', id, condition: { equals: [pick(2), 0] }, steps: deeper(), else: deeper() }
                : kind === 3
                  ? { do: 'sleep', id, seconds: pick(100) }
                  : kind === 7
                    ? { do: 'approve', id, summary: 'May I?', details: value() }
                    : call(id, { v: value(), at: loops > 0 ? ref('index') : 0 });
        there.push(id);
        return step;
      });
    };
    return { steps: list(3, 0, []) };
  });
}
