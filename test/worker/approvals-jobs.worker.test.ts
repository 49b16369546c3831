import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { expire } from '../../src/approvals/admission.ts';
import { claimOfStep } from '../../src/approvals/model.ts';
import type { Approval, JobApproval } from '../../src/approvals/model.ts';
import { ApprovalService } from '../../src/approvals/service.ts';
import type { Bindings } from '../../src/app.ts';
import type { Features } from '../../src/workspace/features.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import type { OpenWorkspace } from '../../src/workspace/client.ts';
import { heldUp, Keeper } from '../support/approvals.ts';

const { WORKSPACE } = env as unknown as Bindings;
const JOB = { jobId: 'job_1', step: 'confirm' };

let people = 0;
let ada: Keeper;
let workspace: OpenWorkspace;
let file: string;
let continued: string[];
let service: ApprovalService;

beforeEach(async () => {
  ada = await Keeper.come(`jobs-${++people}@example.com`);
  workspace = new RpcWorkspaces(WORKSPACE).open(ada.owner.personId, await ada.caller());
  file = (await ada.owner.write('report.txt', 'words')).id;
  continued = [];
  service = new ApprovalService({
    workspaces: new RpcWorkspaces(WORKSPACE),
    audit: { record: async () => undefined },
    clients: async () => [],
    tools: async () => [],
    continueJob: async (personId, jobId) => void continued.push(`${personId} ${jobId}`),
  });
});

afterEach(() => vi.useRealTimers());

const ask = async (changes: Partial<JobApproval> = {}) => {
  const { grantId, personId, client } = ada.owner;
  const who = { grantId, personId, clientId: client.id, requestId: 'request' };
  const what = { summary: 'Publish the report', action: 'publish', arguments: '{"to":"the board"}', files: [{ file }] };
  return workspace.approvals.askForJob({ ...who, ...what, ...JOB, ...changes }, Date.now());
};

const decide = async ({ id }: Approval, decision: 'approved' | 'denied') =>
  service.decide(service.own({ id: ada.owner.personId } as never), id, decision, 'page', 'request');

const use = async () => workspace.approvals.useForJob(JOB.jobId, JOB.step, Date.now());

describe('an approval of a job', () => {
  it('is asked for once by each step, however often that is repeated, and stands on the page', async () => {
    const { approval, isNew } = await ask();
    expect([isNew, approval]).toEqual([true, expect.objectContaining({ status: 'pending', ...JOB, tool: 'publish' })]);
    expect(await ask()).toEqual({ approval, isNew: false });
    expect((await ask({ step: 'another' })).isNew).toBe(true);
    expect(await workspace.approvals.find(JOB.jobId, JOB.step, Date.now())).toEqual(approval);
    expect(await workspace.approvals.find(JOB.jobId, 'none', Date.now())).toBeUndefined();
    const page = (await ada.browser.open(`/approvals/${approval.id}`)).body;
    for (const fact of ['Publish the report', 'job_1', 'report.txt', 'the board']) expect(page).toContain(fact);
  });

  it('has its job go on when it is answered, and says so once', async () => {
    const { approval } = await ask();
    expect(await decide(approval, 'approved')).toMatchObject({ done: true, jobId: 'job_1' });
    expect(await decide(approval, 'denied')).toMatchObject({ done: false, approval: { status: 'approved' } });
    expect(continued).toEqual([`${ada.owner.personId} job_1`]);
    // A step that is repeated after a crash finds it used by itself.
    expect([(await use())?.status, (await use())?.status]).toEqual(['used', 'used']);
  });

  it('that is denied is not used', async () => {
    const { approval } = await ask();
    await decide(approval, 'denied');
    expect(continued).toHaveLength(1);
    expect((await use())?.status).toBe('denied');
    expect((await ask()).approval.status).toBe('denied');
  });

  it('of a file that was changed is asked for anew: the job is told when somebody answers', async () => {
    const { approval } = await ask();
    await ada.owner.write('report.txt', 'other words');
    expect((await ada.browser.open('/approvals')).body).toContain('Approvals (1)');
    expect((await ada.browser.open(`/approvals/${approval.id}`)).body).toContain('Have the job ask again');
    expect(await decide(approval, 'approved')).toMatchObject({ done: false, approval: { status: 'outdated' } });
    expect(continued).toHaveLength(1);
    expect((await use())?.status).toBe('outdated');
    const again = await ask();
    expect([again.isNew, again.approval.id === approval.id]).toEqual([true, false]);
    expect(again.approval.hash).not.toBe(approval.hash);
  });

  it('is void when the file is changed after the answer and before it is used', async () => {
    const { approval } = await ask();
    await decide(approval, 'approved');
    await ada.owner.write('report.txt', 'other words');
    expect((await use())?.status).toBe('outdated');
    expect((await ask()).isNew).toBe(true);
  });

  it('about a file that is not there is an error and no approval', async () => {
    await expect(ask({ files: [{ file: 'fil_00000000000000000000' }] })).rejects.toThrow('no such file');
    expect(await ada.approvals()).toEqual([]);
  });

  it('expires into a refusal, of which the job is told before it is marked', async () => {
    const { approval } = await ask({ within: 60_000 });
    expect(approval.expiresAt - approval.createdAt).toBe(60_000);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    expect((await use())?.status).toBe('expired');
    const told: string[] = [];
    const marked: string[] = [];
    const features = {
      call: (_store: string, method: string, [ids]: readonly unknown[]) => {
        if (method === 'overdue') return [approval];
        marked.push(`${told.join()} before ${String(ids)}`);
        return 5;
      },
    } as unknown as Features;
    const tell = async (jobId: string) => void told.push(jobId);
    expect(await expire(features, { record: async () => undefined }, Date.now(), tell)).toBe(5);
    expect(marked).toEqual([`job_1 before ${approval.id}`]);
    await ada.owner.runTask('approvals');
    expect((await ada.approvals()).map(({ status }) => status)).toEqual(['expired']);
  });

  it('does not let an app through that asks for the same', async () => {
    await ada.rule({ tool: ['file_delete'] });
    const { approval } = await ask({ action: 'file_delete', arguments: '{"file":"report.txt"}' });
    await decide(approval, 'approved');
    await heldUp(ada.owner.accessToken, 'file_delete', { file: 'report.txt' });
    await use();
    const intent = { tool: 'file_delete', destructive: true, claim: claimOfStep(JOB.jobId, JOB.step) };
    await expect(workspace.asking(intent).files.delete('report.txt', undefined, Date.now())).rejects.toThrow(
      'wants to be asked',
    );
  });
});
