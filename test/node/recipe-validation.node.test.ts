import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import type { Json } from '../../src/jobs/definition.ts';
import { CarrelError } from '../../src/lib/errors.ts';
import { MAX_STEPS } from '../../src/recipes/model.ts';
import { checkPlan } from '../../src/recipes/validate.ts';

const scope = 'things:write';
const TOOLS: Record<string, z.ZodObject> = {
  thing_make: z.strictObject({
    name: z.string().max(20),
    size: z.int().min(1).optional(),
    tags: z.array(z.string()).optional(),
  }),
  thing_find: z.strictObject({ query: z.string(), limit: z.int().max(50).default(10) }),
  thing_any: z.object({}),
};

const info = (name: string) => {
  const input = TOOLS[name];
  return input && { scope: name === 'thing_find' ? 'things:read' : scope, input };
};

const check = (plan: unknown, inputs?: Record<string, Json>) => checkPlan(plan, info, inputs);

function refusal(plan: unknown, inputs?: Record<string, Json>): { code: string; message: string } {
  try {
    check(plan, inputs);
  } catch (error) {
    if (error instanceof CarrelError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 'none', message: 'it was taken' };
}

const make = (id: string, args: Record<string, unknown> = { name: 'x' }) => ({
  do: 'tool',
  id,
  tool: 'thing_make',
  arguments: args,
});
const any = (id: string, value: unknown) => ({ do: 'tool', id, tool: 'thing_any', arguments: { value } });
const ref = (path: string) => ({ $ref: path });
const pause = (id: string) => ({ do: 'sleep', id, seconds: 1 });
const each = (id: string, steps: unknown[], items: unknown = [1, 2]) => ({ do: 'for_each', id, items, steps });
const nested = (depth: number): object => (depth === 0 ? pause('deep') : each(`l${depth}`, [nested(depth - 1)]));
const blocks = (depth: number): object =>
  depth === 0
    ? pause('deep')
    : { do: 'when', id: `w${depth}`, condition: { equals: [1, 1] }, steps: [blocks(depth - 1)] };
const takes = (properties: Record<string, unknown>, required: string[] = []) => ({ properties, required });

/** A plan, what its refusal says, and with which inputs it is started. */
const BAD: Record<string, readonly [unknown, RegExp, Record<string, Json>?]> = {
  'no object': [7, /expected object/],
  'nothing at all': [null, /expected object/],
  'no steps': [{}, /steps: /],
  'an empty list of steps': [{ steps: [] }, /steps: has no step/],
  'a field that there is not': [{ steps: [pause('a')], next: 1 }, /there is no field `next`/],
  'a kind of step that there is not': [{ steps: [{ do: 'eval', id: 'a', code: '1' }] }, /steps\[0\]\.do: /],
  'a step without an id': [{ steps: [{ do: 'sleep', seconds: 1 }] }, /steps\[0\]\.id: /],
  'an id with a dot': [{ steps: [pause('a.b')] }, /steps\[0\]\.id: must be letters/],
  'an id that is too long': [{ steps: [pause('a'.repeat(41))] }, /more than 40 characters/],
  'an argument of the step in the wrong place': [{ steps: [{ ...pause('a'), minutes: 1 }] }, /no field `minutes`/],
  'one id twice': [{ steps: [pause('a'), pause('a')] }, /steps\[1\]: the id `a` is that of steps\[0\] already/],
  'one id twice, one of them within': [
    { steps: [pause('a'), each('b', [pause('a')])] },
    /steps\[1\]\.steps\[0\]: the id `a`/,
  ],
  'a tool that there is not': [
    { steps: [{ do: 'tool', id: 'a', tool: 'thing_eat' }] },
    /steps\[0\]\.tool: there is no tool `thing_eat`/,
  ],
  'a tool that answers for a person': [
    { steps: [{ do: 'tool', id: 'a', tool: 'job_answer' }] },
    /may not call `job_answer`/,
  ],
  'a tool that approves': [{ steps: [{ do: 'tool', id: 'a', tool: 'approval_give' }] }, /may not call `approval_give`/],
  'a recipe in a recipe': [{ steps: [{ do: 'tool', id: 'a', tool: 'recipe_run' }] }, /may not call `recipe_run`/],
  'a job in a recipe': [{ steps: [{ do: 'tool', id: 'a', tool: 'job_start' }] }, /may not call `job_start`/],
  'a schedule made by a recipe': [{ steps: [{ do: 'tool', id: 'a', tool: 'schedule_save' }] }, /may not call/],
  'an argument that is missing': [{ steps: [make('a', {})] }, /steps\[0\]\.arguments\.name: /],
  'an argument of the wrong kind': [{ steps: [make('a', { name: 7 })] }, /arguments\.name: .*expected string/],
  'an argument that is too long': [{ steps: [make('a', { name: 'x'.repeat(21) })] }, /arguments\.name: /],
  'an argument that there is not': [{ steps: [make('a', { name: 'x', colour: 1 })] }, /has no argument `colour`/],
  'a wrong argument beside a reference': [
    { steps: [pause('p'), make('a', { name: ref('steps.p'), size: 'large' })] },
    /arguments\.size: /,
  ],
  'a missing argument beside a reference': [
    { steps: [pause('p'), make('a', { size: ref('steps.p') })] },
    /arguments\.name: /,
  ],
  'an argument that there is not, by reference': [
    { steps: [pause('p'), make('a', { name: 'x', colour: ref('steps.p') })] },
    /has no argument `colour`/,
  ],
  'a reference to itself': [{ steps: [make('a', { name: ref('steps.a.name') })] }, /`a` refers to itself: a cycle/],
  'a reference to a later step': [{ steps: [any('a', ref('steps.b')), pause('b')] }, /`b` comes later/],
  'two steps that wait for each other': [
    { steps: [any('a', ref('steps.b')), any('b', ref('steps.a'))] },
    /`a` and `b` wait for each other: a cycle/,
  ],
  'three steps that wait in a ring': [
    { steps: [any('a', ref('steps.c')), any('b', ref('steps.a')), any('c', ref('steps.b'))] },
    /`a` and `c` wait for each other: a cycle/,
  ],
  'a reference to a step that there is not': [{ steps: [any('a', ref('steps.zz.id'))] }, /there is no step `zz`/],
  'a reference to another branch': [
    { steps: [{ do: 'parallel', id: 'p', branches: { l: [pause('a')], r: [any('b', ref('steps.a'))] } }] },
    /branches\.r\[0\]\.arguments\.value: `a` is in another branch of `p`/,
  ],
  'a reference to the other side of a condition': [
    {
      steps: [
        { do: 'when', id: 'w', condition: { equals: [1, 1] }, steps: [pause('a')], else: [any('b', ref('steps.a'))] },
      ],
    },
    /`a` is in another branch of `w`/,
  ],
  'a reference into a loop': [
    { steps: [each('l', [pause('a')]), any('b', ref('steps.a'))] },
    /`a` is inside `l`.*steps\.l/,
  ],
  'a reference into a condition': [
    { steps: [{ do: 'when', id: 'w', condition: { equals: [1, 1] }, steps: [pause('a')] }, any('b', ref('steps.a'))] },
    /`a` is inside `w`/,
  ],
  'a reference to the block around': [
    { steps: [each('l', [any('a', ref('steps.l'))])] },
    /`l` is the block that this is in/,
  ],
  'a loop over itself': [{ steps: [each('l', [pause('a')], ref('steps.l'))] }, /`l` refers to itself/],
  'a result of a step that there is not': [{ steps: [pause('a')], result: ref('steps.b') }, /result: there is no step/],
  'a result from within a loop': [
    { steps: [each('l', [pause('a')])], result: ref('steps.a') },
    /result: `a` is inside/,
  ],
  'an item outside of loops': [{ steps: [any('a', ref('item.id'))] }, /only there within a for_each/],
  'an item of a loop that is over': [
    { steps: [each('l', [pause('b')]), any('a', ref('each.l.item'))] },
    /not within a for_each of that id/,
  ],
  'neither item nor index': [
    { steps: [each('l', [any('a', ref('each.l.name'))])] },
    /must go on with \.item or \.index/,
  ],
  'a field of an index': [{ steps: [each('l', [any('a', ref('index.x'))])] }, /an index has no fields/],
  'an expression for a reference': [{ steps: [any('a', ref('steps.a.b + 1'))] }, /is no reference/],
  'a call for a reference': [{ steps: [any('a', ref('inputs.x.toString()'))] }, /is no reference/],
  'a reference that goes nowhere': [{ steps: [any('a', ref('env.SECRET'))] }, /is no reference/],
  'all inputs': [{ steps: [any('a', ref('inputs'))] }, /says inputs and not which/],
  'an input that there is not': [{ steps: [any('a', ref('inputs.city'))] }, /there is no input `city`/],
  'a wrong reference in a text': [{ steps: [any('a', { $text: 'For ${inputs.city}' })] }, /there is no input `city`/],
  'an expression in a text': [{ steps: [any('a', { $text: '${1 + 1}' })] }, /is no reference/],
  'a reference with fields beside': [{ steps: [any('a', { $ref: 'steps.b', or: 1 })] }, /has other fields beside/],
  'a reference that is a number': [{ steps: [any('a', { $ref: 7 })] }, /must be a text/],
  'a field with a dollar': [{ steps: [any('a', { $eval: '1' })] }, /means nothing/],
  'a condition of two': [
    { steps: [{ do: 'when', id: 'w', condition: { equals: [1, 1], not: { equals: [1, 1] } }, steps: [pause('a')] }] },
    /exactly one of/,
  ],
  'a condition of nothing': [
    { steps: [{ do: 'when', id: 'w', condition: {}, steps: [pause('a')] }] },
    /exactly one of/,
  ],
  'a condition that compares three': [
    { steps: [{ do: 'when', id: 'w', condition: { gt: [1, 2, 3] }, steps: [pause('a')] }] },
    /condition\.gt/,
  ],
  'a condition over a step to come': [
    { steps: [{ do: 'when', id: 'w', condition: { exists: ref('steps.a') }, steps: [pause('b')] }, pause('a')] },
    /condition\.exists: `a` comes later/,
  ],
  'whether a value exists': [
    { steps: [{ do: 'when', id: 'w', condition: { exists: 7 }, steps: [pause('a')] }] },
    /must be a reference/,
  ],
  'one branch alone': [
    { steps: [{ do: 'parallel', id: 'p', branches: { l: [pause('a')] } }] },
    /fewer than two branches/,
  ],
  'an empty branch': [
    { steps: [{ do: 'parallel', id: 'p', branches: { l: [pause('a')], r: [] } }] },
    /branches\.r: has no step/,
  ],
  'eleven branches': [
    {
      steps: [
        {
          do: 'parallel',
          id: 'p',
          branches: Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`b${n}`, [pause(`s${n}`)]])),
        },
      ],
    },
    /more than 10 branches/,
  ],
  'a hundred at once': [{ steps: [{ ...each('l', [pause('a')]), concurrency: 100 }] }, /concurrency: /],
  'a loop over a text': [{ steps: [each('l', [pause('a')], 'abc')] }, /items: must be a list/],
  'a loop over 1,001 items': [
    {
      steps: [
        each(
          'l',
          [pause('a')],
          Array.from({ length: 1001 }, () => 0),
        ),
      ],
    },
    /has 1001 items/,
  ],
  'a loop over an input that is no list': [
    { inputs: takes({ n: { type: 'number' } }), steps: [each('l', [pause('a')], ref('inputs.n'))] },
    /items: must be a list/,
    { n: 3 },
  ],
  'more steps to do than may be done': [
    {
      steps: [
        each(
          'l',
          [
            each(
              'm',
              [pause('a')],
              Array.from({ length: 100 }, () => 0),
            ),
          ],
          Array.from({ length: 51 }, () => 0),
        ),
      ],
    },
    /5100 steps would be done, and at most 5000/,
  ],
  'more to do than may be done, by its inputs': [
    {
      inputs: takes({ all: { type: 'array' } }),
      steps: [each('l', [each('m', [pause('a')], ref('inputs.all'))], ref('inputs.all'))],
    },
    /10000 steps would be done/,
    { all: Array.from({ length: 100 }, () => 0) },
  ],
  'four loops within each other': [{ steps: [nested(4)] }, /is a loop within 3 loops already/],
  'nine blocks within each other': [{ steps: [blocks(9)] }, /is the 9th block within blocks/],
  'a sleep without an end': [{ steps: [{ do: 'sleep', id: 'a' }] }, /must have seconds or until/],
  'a sleep with two ends': [
    { steps: [{ do: 'sleep', id: 'a', seconds: 1, until: '2030-01-01T00:00:00Z' }] },
    /must have seconds or until/,
  ],
  'a sleep of a year': [{ steps: [{ do: 'sleep', id: 'a', seconds: 31_536_000 }] }, /seconds: /],
  'a sleep back in time': [{ steps: [{ do: 'sleep', id: 'a', seconds: -1 }] }, /seconds: /],
  'an approval of nothing': [{ steps: [{ do: 'approve', id: 'a' }] }, /summary: /],
  'an approval that approves itself': [
    { steps: [{ do: 'approve', id: 'a', summary: 'x', approved: true }] },
    /no field `approved`/,
  ],
  'an input of an unknown kind': [
    { inputs: takes({ a: { type: 'date' } }), steps: [pause('p')] },
    /inputs\.properties\.a\.type/,
  ],
  'an input within an input': [
    { inputs: takes({ a: { type: 'object', properties: {} } }), steps: [pause('p')] },
    /inputs\.properties\.a\.type/,
  ],
  'a default that does not fit': [
    { inputs: takes({ a: { type: 'integer', default: 1.5 } }), steps: [pause('p')] },
    /the default of `a` must be a whole number/,
  ],
  'a required input that there is not': [
    { inputs: takes({}, ['a']), steps: [pause('p')] },
    /`a` is required and not among/,
  ],
  'an input that is missing': [
    { inputs: takes({ a: { type: 'string' } }, ['a']), steps: [pause('p')] },
    /the input `a` is missing/,
    {},
  ],
  'an input too many': [
    { inputs: takes({ a: { type: 'string' } }), steps: [pause('p')] },
    /there is no input `b`, but `a`/,
    { b: 1 },
  ],
  'an input that everything inherits': [{ steps: [pause('p')] }, /there is no input `constructor`/, { constructor: 1 }],
  'an input of the wrong kind': [
    { inputs: takes({ a: { type: 'string' } }), steps: [pause('p')] },
    /the input `a` must be a text/,
    { a: 1 },
  ],
  'a list with something else in it': [
    { inputs: takes({ a: { type: 'array', items: { type: 'string' } } }), steps: [pause('p')] },
    /the input `a` must be a list, each a text/,
    { a: ['x', 1] },
  ],
  'an input that is none of those that there may be': [
    { inputs: takes({ a: { type: 'string', enum: ['x'] } }), steps: [pause('p')] },
    /none of those that its `enum` has/,
    { a: 'y' },
  ],
  'a number beyond its bounds': [
    { inputs: takes({ a: { type: 'number', maximum: 3 } }), steps: [pause('p')] },
    /must be at most 3/,
    { a: 4 },
  ],
};

describe('a plan is refused', () => {
  it.each(Object.entries(BAD))('with %s', (_what, [plan, says, inputs]) => {
    const { code, message } = refusal(plan, inputs);
    expect(code).toBe('invalid_input');
    expect(message).toMatch(says);
  });

  it('with 10,000 steps, in one list or in blocks', () => {
    const many = (count: number, prefix = 's') =>
      Array.from({ length: count }, (_, index) => pause(`${prefix}${index}`));
    expect(refusal({ steps: many(10_000) })).toMatchObject({
      code: 'too_large',
      message: expect.stringMatching(/10000 steps/) as string,
    });
    expect(
      refusal({ steps: [{ do: 'parallel', id: 'p', branches: { l: many(600, 'l'), r: many(600, 'r') } }] }).message,
    ).toMatch(/has 1201 steps, and at most 1000/);
    expect(check({ steps: many(MAX_STEPS) }).steps).toBe(MAX_STEPS);
  });

  it('when it is larger than 128 KB, or nested without end', () => {
    expect(refusal({ steps: [any('a', 'x'.repeat(140_000))] })).toMatchObject({ code: 'too_large' });
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(refusal({ steps: [any('a', deep)] }).message).toMatch(/nested deeper than 64/);
  });

  it('for all that is wrong at once, with the place of each, up to twenty', () => {
    const { message } = refusal({ steps: [make('a', {}), any('b', ref('steps.zz')), any('b', ref('item'))] });
    for (const place of ['steps[0].arguments.name', 'steps[1].arguments.value', 'steps[2]', 'steps[2].arguments.value'])
      expect(message).toContain(`${place}:`);
    const { message: many } = refusal({
      steps: Array.from({ length: 30 }, (_, index) => any(`s${index}`, ref('steps.zz'))),
    });
    expect(many.match(/there is no step/g)).toHaveLength(20);
    expect(many).toContain('and 10 more');
  });

  it('whatever it is, and never with anything else than a refusal', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json().map((text) => JSON.parse(text) as unknown),
          planLike(),
        ),
        (plan) => {
          expect(['none', 'invalid_input', 'too_large']).toContain(refusal(plan).code);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a plan is taken', () => {
  it('with the scopes of its tools, each once', () => {
    const plan = {
      steps: [make('a'), make('b'), { do: 'tool', id: 'c', tool: 'thing_find', arguments: { query: 'x' } }],
    };
    expect(check(plan)).toMatchObject({ scopes: ['things:read', 'things:write'], steps: 3 });
  });

  it('with references to what has been done: before, around, in both branches, in each round', () => {
    const plan = {
      inputs: takes({ name: { type: 'string', default: 'it' } }),
      steps: [
        make('a', { name: ref('inputs.name') }),
        {
          do: 'parallel',
          id: 'p',
          branches: {
            l: [any('l1', ref('steps.a')), any('l2', ref('steps.l1.value'))],
            r: [any('r1', ref('steps.a'))],
          },
        },
        any('both', [ref('steps.l2'), ref('steps.r1'), ref('steps.p.l')]),
        each('outer', [
          each(
            'inner',
            [any('x', [ref('each.outer.item'), ref('item'), ref('index'), ref('steps.both')])],
            ref('item'),
          ),
          any('y', ref('steps.inner.length')),
        ]),
        {
          do: 'when',
          id: 'w',
          condition: { and: [{ exists: ref('steps.outer[0]') }, { not: { in: [1, ref('steps.outer')] } }] },
          steps: [pause('z')],
        },
        { do: 'approve', id: 'ok', summary: { $text: 'Keep ${steps.both.value}?' }, details: ref('steps.w') },
      ],
      result: { all: ref('steps.outer') },
    };
    expect(check(plan, {})).toMatchObject({ inputs: { name: 'it' }, steps: 13 });
  });

  it('with what looks like a reference and is meant as it is', () => {
    const values = [{ $literal: { $ref: 'steps.nowhere' } }, 'a ${text} as it is', { $text: 'a $${text} as it is' }];
    expect(check({ steps: values.map((value, index) => any(`s${index}`, value)) }).steps).toBe(3);
  });
});

/** Plans that are nearly right. */
function planLike(): fc.Arbitrary<unknown> {
  const id = fc.constantFrom('a', 'b', 'c', 'constructor', '__proto__', 'x.y', '');
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      1,
      'x',
      null,
      [],
      {},
      { $ref: 'steps.a' },
      { $ref: 'item' },
      { $text: '${steps.b.c}' },
      { $text: '${' },
    ),
    fc.record({ $ref: fc.string() }),
    fc.record({ $text: fc.string() }),
  );
  const { step } = fc.letrec<{ step: unknown; steps: unknown }>((tie) => ({
    steps: fc.array(tie('step'), { maxLength: 3 }),
    step: fc.oneof(
      { maxDepth: 4 },
      fc.record({
        do: fc.constant('tool'),
        id,
        tool: fc.constantFrom('thing_any', 'thing_make', 'none'),
        arguments: fc.dictionary(id, value),
      }),
      fc.record({ do: fc.constant('sleep'), id, seconds: fc.double() }),
      fc.record({ do: fc.constant('approve'), id, summary: value, files: value }),
      fc.record({ do: fc.constant('for_each'), id, items: value, steps: tie('steps') }),
      fc.record({ do: fc.constant('parallel'), id, branches: fc.dictionary(id, tie('steps')) }),
      fc.record({
        do: fc.constant('when'),
        id,
        condition: fc.dictionary(fc.constantFrom('equals', 'not', 'exists', 'in'), value),
        steps: tie('steps'),
      }),
    ),
  }));
  return fc.record({ steps: fc.array(step, { maxLength: 4 }), result: value });
}
