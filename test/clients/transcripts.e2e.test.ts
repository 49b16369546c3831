import { beforeAll, describe, expect, it } from 'vitest';

import { Browser } from '../../scripts/client/browser.ts';
import { useDeployment } from '../e2e/support/deployment.ts';
import { chatgpt } from './transcripts/chatgpt.ts';
import { claude } from './transcripts/claude.ts';
import { codex } from './transcripts/codex.ts';
import { cursor } from './transcripts/cursor.ts';
import { inspectorPage } from './transcripts/inspector-page.ts';
import { plainHttp } from './transcripts/plain-http.ts';
import { play, startingValues } from './transcripts/replay.ts';
import { vscode } from './transcripts/vscode.ts';

// The scopes that clients are given are part of what they send and get.
const deployment = useDeployment({ TOOLSETS: 'sessions,files' });

const transcripts = [claude, chatgpt, cursor, vscode, codex, inspectorPage, plainHttp];

// Clients that cannot run here: what they send is replayed, step by step and in this order.
describe.each(transcripts.map(({ client, steps }) => [client, steps] as const))('%s', (client, steps) => {
  // A person for each, so that nothing is there before.
  const email = `${client.toLowerCase().replaceAll(/\W+/g, '-')}@example.com`;
  let browser: Browser;
  let values: Map<string, string>;

  beforeAll(() => {
    browser = new Browser(deployment.origin);
    values = startingValues(deployment.origin);
  });

  it.each(steps.map((step) => [step.does, step] as const))('%s', async (_does, step) => {
    expect.hasAssertions();
    await play(step, values, browser, email);
  });
});
