import { env } from 'cloudflare:workers';

/**
 * Sends what a Worker under test asks of GitHub to the address in TEST_GITHUB. To be imported before
 * the Worker, which fetches with what it finds. There is no setting for this, because that would let
 * GitHub's secret be sent anywhere; so it is a module that is in no deployed bundle.
 */
const { TEST_GITHUB } = env as unknown as { readonly TEST_GITHUB?: string };
const GITHUB = /^https:\/\/(?:api\.)?github\.com\//;

if (TEST_GITHUB !== undefined) {
  const fetchAnywhere = globalThis.fetch;
  globalThis.fetch = (input, init) =>
    fetchAnywhere(typeof input === 'string' ? input.replace(GITHUB, `${TEST_GITHUB}/`) : input, init);
}
