import { setTimeout as sleep } from 'node:timers/promises';

import { beforeAll, describe, expect, it } from 'vitest';

import { call, connectWithToken } from '../../scripts/client/mcp.ts';
import { APPROVALS_SCOPE } from '../../src/approvals/model.ts';
import { useDeployment } from './support/deployment.ts';
import { bearer, signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly steps_done: number;
  readonly attempts: number;
  readonly current_step?: string;
  readonly waiting?: readonly { readonly for: string; readonly approval?: string }[];
  readonly error?: { readonly code: string; readonly step?: string };
}

const ITEMS = 50;

/** Little patience with runs that are silent: what a kill left is taken up soon. */
const deployment = useDeployment({ JOB_STALL_SECONDS: '5' });

let person: Person;
beforeAll(async () => {
  person = await signUp(deployment.mcpUrl, 'recipes@example.com');
});

const connected = () => connectWithToken(deployment.mcpUrl, person.token);
const write = (id: string, key: unknown) => ({
  do: 'tool',
  id,
  tool: 'state_set',
  arguments: { key, value: { $ref: 'inputs.word' } },
});

const PLAN = {
  inputs: {
    properties: { word: { type: 'string' }, items: { type: 'array', items: { type: 'integer' } } },
    required: ['word', 'items'],
  },
  steps: [
    {
      do: 'parallel',
      id: 'both',
      branches: {
        left: [write('l1', 'left/1'), { do: 'sleep', id: 'breath', seconds: 2 }, write('l2', 'left/2')],
        right: [
          write('r1', 'right/1'),
          {
            do: 'tool',
            id: 'file',
            tool: 'file_write',
            arguments: { path: 'right.txt', text: { $ref: 'inputs.word' } },
          },
          { do: 'sleep', id: 'rest', seconds: 2 },
          write('r2', 'right/2'),
        ],
      },
    },
    {
      do: 'for_each',
      id: 'each',
      items: { $ref: 'inputs.items' },
      concurrency: 2,
      steps: [
        write('key', { $text: 'item/${item}' }),
        { do: 'sleep', id: 'gap', seconds: 0.2 },
        {
          do: 'tool',
          id: 'page',
          tool: 'file_write',
          arguments: { path: { $text: 'pages/${item}.txt' }, text: { $text: '${inputs.word} ${index}' } },
        },
      ],
    },
    { do: 'sleep', id: 'nap', seconds: 6 },
    { do: 'approve', id: 'sure', summary: { $text: 'Publish ${inputs.word}?' } },
    { do: 'tool', id: 'count', tool: 'state_list', arguments: { prefix: 'item/', limit: 200 } },
  ],
  result: {
    keys: { $ref: 'steps.count.keys.length' },
    pages: { $ref: 'steps.each.length' },
    file: { $ref: 'steps.both.right.key' },
  },
};

/** Made on the page: no client can have what it may. */
async function personalToken(): Promise<string> {
  const { body } = await person.browser.submit(
    await person.browser.open('/account/tokens'),
    ({ action }) => action === '/account/tokens',
    { name: 'Script', scope: [APPROVALS_SCOPE] },
  );
  return /carrel_pat_[0-9a-z]+/.exec(body)?.[0] ?? '';
}

const decide = async (token: string, approval: string, decision: 'approve' | 'deny') =>
  fetch(`${deployment.origin}/approvals/${approval}/${decision}`, { method: 'POST', headers: bearer(token) });

describe('a recipe and power cuts', () => {
  it(
    'goes on in its branches, its loop, its sleep and its approval, and writes everything once',
    { timeout: 240_000 },
    async () => {
      const first = await connected();
      await call(first, 'recipe_save', { recipe: 'tour', title: 'Tour', plan: PLAN });
      const answering = await personalToken();
      const items = Array.from({ length: ITEMS }, (_, index) => index);
      const { job } = await call<{ job: Job }>(first, 'recipe_run', {
        recipe: 'tour',
        inputs: { word: 'well', items },
      });
      let client = await connected();
      const look = async (): Promise<Job> => (await call<{ job: Job }>(client, 'job_get', { job: job.id })).job;
      const phases: Record<string, (now: Job) => boolean> = {
        'in the branches': ({ steps_done: done }) => done >= 3,
        'in the loop': ({ current_step: step = '' }) => /^each\[(?:1\d|2\d)\]/.test(step),
        'later in the loop': ({ current_step: step = '' }) => /^each\[(?:3\d|4\d)\]/.test(step),
        'in the sleep': ({ current_step: step = '' }) => step.startsWith('nap'),
        'at the approval': ({ status }) => status === 'waiting',
      };
      const killed: string[] = [];
      for (const [phase, isThere] of Object.entries(phases)) {
        let now = await look();
        for (; !isThere(now) && now.status === 'running'; now = await look()) await sleep(200);
        expect([phase, now.status]).toEqual([phase, phase === 'at the approval' ? 'waiting' : 'running']);
        await deployment.kill();
        await deployment.startAgain();
        client = await connected();
        killed.push(`${phase}, at ${now.current_step}, ${now.steps_done} steps done`);
      }
      const { approval = '' } = (await look()).waiting?.[0] ?? {};
      expect((await decide(person.token, approval, 'approve')).status).toBe(403);
      expect((await decide(answering, approval, 'approve')).status).toBe(200);
      let ended = await look();
      for (; ended.status === 'running' || ended.status === 'queued'; ended = await look()) await sleep(500);
      expect(ended).toMatchObject({ status: 'completed' });
      const { result } = await call<{ result: unknown }>(client, 'job_result', { job: job.id });
      expect(result).toMatchObject({ result: { keys: ITEMS, pages: ITEMS, file: 'right/2' } });

      const { keys } = await call<{ keys: { key: string; version: number }[] }>(client, 'state_list', { limit: 200 });
      const { files } = await call<{ files: { path: string; version: number }[] }>(client, 'file_list', { limit: 200 });
      console.log(
        `killed ${killed.join('; ')}. ${ended.attempts} attempts at ${ended.steps_done} steps; ` +
          `${keys.length} keys, ${files.length} files, of them written more than once: ` +
          `${[...keys, ...files].filter(({ version }) => version > 1).length}`,
      );
      expect(keys).toHaveLength(ITEMS + 4);
      expect(files).toHaveLength(ITEMS + 1);
      expect([...keys, ...files].filter(({ version }) => version !== 1)).toEqual([]);
    },
  );

  it('ends where the person says no, also after a kill', { timeout: 120_000 }, async () => {
    const answering = await personalToken();
    const plan = {
      steps: [
        { do: 'approve', id: 'sure', summary: 'May I?' },
        { do: 'tool', id: 'never', tool: 'state_set', arguments: { key: 'never', value: 1 } },
      ],
    };
    const before = await connected();
    const { job } = await call<{ job: Job }>(before, 'recipe_run', { plan, wait: 30 });
    expect(job).toMatchObject({ status: 'waiting' });
    await deployment.kill();
    await deployment.startAgain();
    expect((await decide(answering, job.waiting?.[0]?.approval ?? '', 'deny')).status).toBe(200);
    const client = await connected();
    const { job: ended } = await call<{ job: Job }>(client, 'job_get', { job: job.id, wait: 30 });
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'forbidden', step: 'sure' } });
    const { keys } = await call<{ keys: object[] }>(client, 'state_list', { prefix: 'never' });
    expect(keys).toEqual([]);
  });
});
