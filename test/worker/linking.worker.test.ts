import { describe, expect, it } from 'vitest';

import type { Browser } from '../../scripts/client/browser.ts';
import { audit, lastLine, somebody, useCampus } from '../support/campus.ts';

const campus = useCampus();

/** Somebody who signed in at the campus. */
async function signedIn(browser = campus.newBrowser()) {
  const person = somebody();
  const page = await campus.signIn(person, browser);
  if (page.status !== 200) throw new Error(`sign-in: ${page.status}`);
  const { personId } = (await lastLine()) ?? {};
  return { person, browser, personId };
}

/** Where the account page's link to the other provider leads, as the page has it. */
async function ownLink(browser: Browser): Promise<string> {
  const { body } = await browser.open('/account');
  return (/href="(\/sign-in\/campus\?link=[^"]+)"/.exec(body)?.[1] ?? '').replaceAll('&amp;', '&');
}

async function linked(personId: string | undefined): Promise<number> {
  const lines = await audit.list({ since: 0, limit: 200 });
  return lines.filter((line) => line.action === 'identity_linked' && line.personId === personId).length;
}

describe('an account at a provider is linked', () => {
  it('by the link of one’s own account page, and then signs in as the same person', async () => {
    const { browser, personId } = await signedIn();
    const second = somebody();
    const at = await browser.open(await ownLink(browser));
    expect(at.left).toBe(true);
    expect((await browser.open(campus.issuer.authorize(at.url, second))).url.pathname).toBe('/account');
    expect(await linked(personId)).toBe(1);
    await campus.signIn(second, campus.newBrowser());
    expect(await lastLine()).toMatchObject({ action: 'signed_in', personId });
  });

  it('by no link of another page: it has not what only the account page knows', async () => {
    const { browser, personId } = await signedIn();
    const mallory = await signedIn();
    const foreign = await ownLink(mallory.browser);
    expect(foreign).toMatch(/link=[\w-]{43}/);
    for (const link of [foreign, '/sign-in/campus?link=1', '/sign-in/campus?link=', '/sign-in/campus?link']) {
      const page = await browser.open(link);
      expect([link, page.left, page.status]).toEqual([link, false, 403]);
    }
    expect(await linked(personId)).toBe(0);
  });

  it('by no link from before the person signed out', async () => {
    const { browser } = await signedIn();
    const old = await ownLink(browser);
    await campus.signIn(somebody(), browser);
    expect((await browser.open(old)).status).toBe(403);
  });

  it('to nobody, when another person is signed in by the time it comes back', async () => {
    const { browser, personId } = await signedIn();
    const at = await browser.open(await ownLink(browser));
    const attempt = browser.cookieHeader();
    const answer = campus.issuer.authorize(at.url, somebody());
    const other = await signedIn();
    // The attempt's cookie of one, the session of the other.
    const cookie = /__Host-carrel-attempt=[^;]+/.exec(attempt)?.[0] ?? '';
    const page = await other.browser.open(answer, {
      headers: { Cookie: `${other.browser.cookieHeader()}; ${cookie}` },
    });
    expect(page.status).toBe(400);
    expect(await lastLine()).toMatchObject({ action: 'sign_in_refused', detail: { reason: 'person_changed' } });
    expect([await linked(personId), await linked(other.personId)]).toEqual([0, 0]);
  });

  it('to one person only', async () => {
    const { person } = await signedIn();
    const other = await signedIn();
    const at = await other.browser.open(await ownLink(other.browser));
    const page = await other.browser.open(campus.issuer.authorize(at.url, person));
    expect([page.status, page.body.includes('signs in here already')]).toEqual([400, true]);
    expect(await lastLine()).toMatchObject({ action: 'sign_in_refused', detail: { reason: 'identity_taken' } });
  });
});
