import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';

import { button, heading, openBrowser, signIn, startApp, useCarrel, whoIs } from '../support/browser.ts';
import type { BrowserOptions, LinkOptions } from '../support/browser.ts';

const QUESTION = 'Let this app use your workspace?';

const carrel = useCarrel();

/** How a person works a page. */
interface Hand {
  readonly browser?: BrowserOptions;
  readonly write: (page: Page, label: string, text: string) => Promise<void>;
  readonly press: (page: Page, name: string) => Promise<void>;
  readonly untick: (page: Page, label: string) => Promise<void>;
}

const mouse: Hand = {
  write: (page, label, text) => page.getByLabel(label).fill(text),
  press: (page, name) => page.getByRole('button', { name, exact: true }).click(),
  untick: (page, label) => page.getByLabel(label).click(),
};

const finger: Hand = {
  browser: { width: 390, touch: true },
  write: mouse.write,
  press: (page, name) => page.getByRole('button', { name, exact: true }).tap(),
  // On a phone people hit the words, not the box.
  untick: (page, label) => page.getByText(label, { exact: true }).tap(),
};

/** Goes on with Tab until the control with this name has the focus. */
async function tabTo(page: Page, role: 'button' | 'checkbox' | 'textbox', name: string): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true });
  const focused = wanted.and(page.locator(':focus'));
  for (let presses = 0; presses < 30 && (await focused.count()) === 0; presses++) await page.keyboard.press('Tab');
  expect(await focused.count(), `${name} can be reached with Tab`).toBe(1);
}

const keyboard: Hand = {
  write: async (page, label, text) => {
    await tabTo(page, 'textbox', label);
    await page.keyboard.type(text);
  },
  press: async (page, name) => {
    await tabTo(page, 'button', name);
    await page.keyboard.press('Enter');
  },
  untick: async (page, label) => {
    await tabTo(page, 'checkbox', label);
    await page.keyboard.press('Space');
  },
};

describe.each<[string, Hand]>([
  ['with a mouse', mouse],
  ['with the keyboard alone', keyboard],
  ['with JavaScript disabled', { ...mouse, browser: { javaScript: false } }],
  ['on a phone of 390 px', finger],
])('a person %s', (_, hand) => {
  test('connects an app: signs in, takes one permission away, allows the rest', async () => {
    const app = await startApp(carrel.url);
    const { page } = await openBrowser(hand.browser);

    await page.goto(app.link());
    await hand.write(page, 'E-mail address', 'ada@example.com');
    await hand.press(page, 'Continue');

    await heading(page).getByText(QUESTION).waitFor();
    await hand.untick(page, 'Change files');
    await hand.press(page, 'Allow');

    const answer = await app.answerAt(page);
    expect(app.answers).toHaveLength(1);
    expect(answer.searchParams.get('state')).toBe(app.state);
    expect(answer.searchParams.get('iss')).toBe(carrel.url);

    const tokens = await app.redeem(answer);
    const granted = [
      'sessions:read',
      'sessions:write',
      'files:read',
      'research:read',
      'research:write',
      'jobs:read',
      'jobs:write',
    ];
    expect(tokens.scope.split(' ')).toEqual(granted);
    expect(await whoIs(carrel.url, tokens)).toMatchObject({ name: 'ada@example.com', scopes: granted });
  });

  test('denies, and the app is told so', async () => {
    const app = await startApp(carrel.url);
    const { page } = await openBrowser(hand.browser);

    await page.goto(app.link());
    await hand.write(page, 'E-mail address', 'ada@example.com');
    await hand.press(page, 'Continue');
    await hand.press(page, 'Deny');

    const { searchParams } = await app.answerAt(page);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      error: 'access_denied',
      state: app.state,
      iss: carrel.url,
    });
    expect(searchParams.has('code')).toBe(false);
  });
});

describe('the consent page', () => {
  async function askAda(name?: string, options: BrowserOptions & LinkOptions = {}) {
    const app = await startApp(carrel.url, name);
    const browser = await openBrowser(options);
    await browser.page.goto(app.link(options));
    await signIn(browser.page, 'ada@example.com');
    await heading(browser.page).getByText(QUESTION).waitFor();
    return { app, ...browser };
  }

  const boxes = (page: Page) => page.locator('input[name=scope]');

  test('names the person, the app, where access goes, and every permission in plain words', async () => {
    const { app, page } = await askAda('Field notes');
    const words = await page.getByRole('main').innerText();
    expect(words).toContain('Signed in as ada@example.com');
    expect(words).toContain('Field notes');
    expect(words).toContain('Unverified: this app named itself');
    expect(words).toContain(`${new URL(app.redirect).host} on this computer`);

    expect(await boxes(page).count()).toBeGreaterThan(0);
    for (const box of await boxes(page).all()) {
      const sentence = page.locator(`[id="${await box.getAttribute('aria-describedby')}"]`);
      expect(await sentence.innerText()).toMatch(/^[A-Z].{20,}\.$/);
      // The raw name of a scope says nothing to a person.
      expect(words).not.toContain(await box.getAttribute('value'));
    }
  });

  test('ticks what the app asked for, and a person may add to it', async () => {
    const { app, page } = await askAda('Reader', { scope: 'files:read' });
    const ticked = page.getByRole('checkbox', { checked: true });
    expect(await ticked.count()).toBe(1);
    expect(await ticked.getAttribute('value')).toBe('files:read');
    await page.getByLabel('Read sessions').check();
    await button(page, 'Allow').click();
    const tokens = await app.redeem(await app.answerAt(page));
    expect(tokens.scope.split(' ').toSorted()).toEqual(['files:read', 'sessions:read']);
  });

  test('asks again when nothing is ticked, and the new form works', async () => {
    const { app, page } = await askAda();
    await page.setViewportSize({ width: 390, height: 600 });
    for (const box of await boxes(page).all()) await box.uncheck();
    await button(page, 'Allow').click();

    const problem = page.getByRole('alert');
    await problem.waitFor();
    // Also on a small phone, where the page is longer than what it shows at first.
    const { y } = (await problem.boundingBox())!;
    expect(y > 0 && y < 600, `${y} is in view`).toBe(true);
    expect(await problem.innerText()).toBe('Choose at least one permission, or deny the request.');
    expect(await page.title()).toMatch(/^Error: /);
    expect(app.answers).toEqual([]);
    // What was taken away stays away, or a hasty second press would grant all of it.
    expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0);

    await page.getByLabel('Read files').check();
    await button(page, 'Allow').click();
    expect((await app.redeem(await app.answerAt(page))).scope).toBe('files:read');
  });

  test('takes Enter in a checkbox for No: whoever has not chosen a button has not allowed anything', async () => {
    const { app, page } = await askAda();
    await boxes(page).first().press('Enter');
    expect((await app.answerAt(page)).searchParams.get('error')).toBe('access_denied');
  });

  test('shows markup in the name of an app as text', async () => {
    const name = '<img src=x onerror=alert(1)>';
    const { page } = await askAda(name);
    await page.getByText(name, { exact: true }).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Allow access · Carrel');
    // That no dialog came up and no policy was violated is checked for every browser at its end.
  });

  test('stays whole around a name of 300 characters that run from right to left', async () => {
    const name = `\u202E${'مكتبة القراءة 🦊📚 '.repeat(20)}`.slice(0, 298) + '🦊';
    expect(name).toHaveLength(300);
    const { app, page } = await askAda(name, { width: 390 });
    await page.getByText(name.trim()).waitFor();
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(390);
    // What stands around the name keeps its order and its direction.
    expect(await page.getByRole('main').innerText()).toContain('Unverified: this app named itself');
    const allow = await button(page, 'Allow').boundingBox();
    const deny = await button(page, 'Deny').boundingBox();
    expect(deny!.x).toBeLessThan(allow!.x);
    await button(page, 'Allow').click();
    expect((await app.answerAt(page)).searchParams.has('code')).toBe(true);
  });

  test('lets somebody else sign in, and puts the same request to them', async () => {
    const { app, page } = await askAda();
    await button(page, 'Not you? Sign out').click();
    await signIn(page, 'grace@example.com');

    await page.getByText('Signed in as grace@example.com').waitFor();
    await button(page, 'Allow').click();
    const answer = await app.answerAt(page);
    expect(answer.searchParams.get('state')).toBe(app.state);
    expect(await whoIs(carrel.url, await app.redeem(answer))).toMatchObject({ name: 'grace@example.com' });
  });
});

describe('signing in without an app', () => {
  test('an address that is none is said to be none, and can be mended', async () => {
    const { page } = await openBrowser();
    await page.goto(`${carrel.url}/sign-in`);
    // Good enough for the browser's own check.
    await signIn(page, 'ada@example');

    const field = page.getByLabel('E-mail address');
    const problem = page.getByRole('alert');
    expect(await problem.innerText()).toMatch(/no e-mail address/);
    expect(await field.getAttribute('aria-describedby')).toContain(await problem.getAttribute('id'));
    expect(await field.inputValue()).toBe('ada@example');

    await signIn(page, 'ada@example.com');
    await page.getByRole('banner').getByText('ada@example.com').waitFor();
  });

  test('signing out ends it: the page says so, and the next app asks who is there', async () => {
    const app = await startApp(carrel.url);
    const { page } = await openBrowser();
    await page.goto(`${carrel.url}/sign-in`);
    await signIn(page, 'ada@example.com');

    await button(page, 'Sign out').click();
    await heading(page).getByText('You are signed out').waitFor();
    await page.getByRole('link', { name: 'To the start page' }).click();
    expect(await page.getByRole('banner').innerText()).not.toContain('ada@example.com');

    await page.goto(app.link());
    await heading(page).getByText('Sign in').waitFor();
  });
});
