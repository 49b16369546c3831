/**
 * Draws every page in each of its states, on a phone and on a desktop, light and dark, so that
 * whoever changes the console can look at all of it. It also fails on what eyes miss: anything that
 * the content security policy blocks, and a page that scrolls sideways.
 *
 *   npx esbuild test/support/preview-pages.ts --bundle --format=esm --platform=node --packages=external \
 *     | npx node --input-type=module - <folder for the pictures> [only pages whose name has this in it]
 *
 * It needs Debian's chromium, or CARREL_CHROMIUM set to another one.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { type BrowserContext, chromium } from 'playwright-core';

import { HomePage } from '../../src/console/home.tsx';
import { STYLESHEET, STYLESHEET_PATH } from '../../src/console/stylesheet.ts';
import { ErrorPage, SetupPage } from '../../src/http/error-page.tsx';
import { SignedOutPage, SignInPage } from '../../src/identity/pages.tsx';
import { AuthorizeErrorPage, ConsentPage, type ConsentPageProps } from '../../src/oauth/pages.tsx';

const ORIGIN = 'https://carrel.example.com';
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HOSTILE_NAME =
  '<img src=x onerror=alert(1)> 🦊📚 \u202Egnp.exe\u202C تطبيق القراءة Verified by Carrel! You have already allowed this. ' +
  'Averyveryverylongunbrokenwordthatnobodywouldeverwriteexceptinatestofwrapping'.repeat(2);

const signIn = { formToken: 'f'.repeat(43), returnTo: '/' };
const development = { name: 'dev', label: 'Sign in', kind: 'email-form' } as const;

const consent: ConsentPageProps = {
  clientName: 'Claude',
  clientDomain: 'claude.ai',
  clientUri: 'https://claude.ai/',
  redirectHost: 'claude.ai',
  redirectIsLoopback: false,
  redirectIsPrivateUse: false,
  personEmail: 'ada@example.com',
  scopes: [
    {
      name: 'sessions:read',
      title: 'Read sessions',
      sentence: 'See the names of your sessions and read what is kept in them.',
      checked: true,
    },
    {
      name: 'sessions:write',
      title: 'Change sessions',
      sentence: 'Create, rename and archive sessions, and write and delete what is kept in them.',
      checked: true,
    },
    {
      name: 'files:read',
      title: 'Read files',
      sentence: 'See the names of your files, read them and make short-lived links to them.',
      checked: true,
    },
    {
      name: 'files:write',
      title: 'Change files',
      sentence: 'Store new files, change files and put files into the trash.',
      checked: false,
    },
    {
      name: 'research:read',
      title: 'Read research',
      sentence: 'See your research: sources, quotes, notes and reports.',
      checked: true,
    },
    {
      name: 'research:write',
      title: 'Change research',
      sentence: 'Fetch pages for your research, and write and remove sources, quotes, notes and reports.',
      checked: true,
    },
  ],
  handle: 'h'.repeat(43),
  mayRemember: true,
  action: '/authorize',
  formToken: 'f'.repeat(43),
  returnTo: '/authorize?client_id=claude',
};
const manyScopes = Array.from({ length: 12 }, (_, at) => ({
  name: `toolset-${at}:read`,
  title: `Read what toolset ${at + 1} keeps for you`,
  sentence: 'A sentence that is long enough to need a second line on a phone, and says in plain words what it means.',
  checked: at % 3 !== 0,
}));
const requestId = '01JD3V9K6T8Q2M4X7W5R0BNCEY';
const home = {
  origin: ORIGIN,
  mcpUrl: `${ORIGIN}/mcp`,
  longQuery: '?toolsets=sessions,files,research',
  deployment: 'production',
  devSignIn: false,
} as const;

const PAGES = {
  home: HomePage(home),
  'home-open': HomePage({ ...home, personEmail: 'ada@example.com', formToken: signIn.formToken }),
  'home-development-open': HomePage({
    origin: 'http://localhost:8787',
    mcpUrl: 'http://localhost:8787/mcp',
    deployment: 'development',
    devSignIn: true,
    personEmail: 'a.very.long.address.indeed@a-department.of-some-university.example.com',
    formToken: signIn.formToken,
  }),
  'sign-in': SignInPage({ ...signIn, providers: [development] }),
  'sign-in-error': SignInPage({
    ...signIn,
    providers: [development],
    clientName: 'Claude',
    email: 'ada@',
    error: 'This is not an e-mail address. It looks like name@example.com.',
  }),
  'sign-in-several': SignInPage({
    ...signIn,
    providers: [
      { name: 'passkey', label: 'Sign in with a passkey', kind: 'redirect' },
      { name: 'github', label: 'Sign in with GitHub', kind: 'redirect' },
      development,
    ],
    clientName: HOSTILE_NAME,
  }),
  'sign-in-refused': SignInPage({
    ...signIn,
    providers: [{ name: 'github', label: 'Sign in with GitHub', kind: 'redirect' }],
    error: 'This account was not let in. Ask whoever runs this Carrel for an invitation.',
  }),
  'sign-in-none': SignInPage({ ...signIn, providers: [], clientName: 'Claude' }),
  'signed-out': SignedOutPage(),
  consent: ConsentPage(consent),
  'consent-loopback': ConsentPage({
    ...consent,
    clientName: 'Claude Code',
    clientDomain: undefined,
    redirectHost: 'localhost:53682',
    redirectIsLoopback: true,
  }),
  'consent-private-use': ConsentPage({
    ...consent,
    clientName: 'Cursor',
    clientDomain: undefined,
    clientUri: undefined,
    redirectHost: 'cursor:',
    redirectIsPrivateUse: true,
    mayRemember: false,
  }),
  'consent-hostile': ConsentPage({
    ...consent,
    clientName: HOSTILE_NAME,
    clientDomain: undefined,
    clientUri: 'javascript:alert(1)',
    redirectHost: `${'a-long-label-'.repeat(4)}x.${'another-label-'.repeat(4)}x.example.com`,
    personEmail: `${'long.name.'.repeat(6)}x@example.com`,
    scopes: manyScopes,
    error: 'Choose at least one permission, or deny.',
  }),
  'authorize-error': AuthorizeErrorPage({
    title: 'This form was already used',
    explanation: 'A consent form can be answered once, within ten minutes, in the browser that opened it.',
    whatToDo: 'Go back to the app and connect it again.',
    requestId,
  }),
  'error-404': ErrorPage({
    status: 404,
    title: 'There is nothing here',
    explanation: 'No page has this address.',
    whatToDo: 'Check the address for a slip.',
    requestId,
  }),
  'error-500': ErrorPage({
    status: 500,
    title: 'Something went wrong on our side',
    explanation: 'Nothing that you did caused it.',
    whatToDo: 'Try again; if it stays, report the request id.',
    requestId,
  }),
  setup: SetupPage({}),
  'setup-faults': SetupPage({
    faults: [
      { setting: 'CARREL_SECRET', problem: 'is missing. `npm start` and `npm run deploy` make it' },
      { setting: 'PUBLIC_URL', problem: 'must begin with https:// (http:// is for loopback only)' },
      { setting: 'ACCESS_TOKEN_SECONDS', problem: 'must be a whole number from 60 to 86400' },
    ],
  }),
};

/** Answers every request from memory, as the Worker would answer it. */
async function serve(context: BrowserContext): Promise<void> {
  await context.route('**/*', async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === STYLESHEET_PATH) return route.fulfill({ contentType: 'text/css', body: STYLESHEET });
    const page = Object.entries(PAGES).find(([name]) => pathname === `/${name}`)?.[1];
    if (page === undefined) return route.fulfill({ status: 404 });
    return route.fulfill({
      contentType: 'text/html; charset=utf-8',
      headers: { 'content-security-policy': CONTENT_SECURITY_POLICY },
      body: String(await page),
    });
  });
}

async function draw(folder: string, only: string): Promise<number> {
  const browser = await chromium.launch({
    executablePath: process.env['CARREL_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
  let problems = 0;
  const report = (problem: string) => {
    problems += 1;
    console.error(problem);
  };
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [390, 1280]) {
      const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme });
      await serve(context);
      for (const name of Object.keys(PAGES).filter((each) => each.includes(only))) {
        const page = await context.newPage();
        page.on('console', (message) => report(`${name}: ${message.text()}`));
        page.on('dialog', () => report(`${name}: a script ran`));
        await page.goto(`${ORIGIN}/${name}`);
        if (name.endsWith('-open')) for (const summary of await page.locator('summary').all()) await summary.click();
        const widest = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (widest > width) report(`${name}: ${widest} px wide in a window of ${width} px`);
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        await page.close();
      }
      await context.close();
    }
  await browser.close();
  return problems;
}

const [folder, only = ''] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name a folder for the pictures.');
await mkdir(folder, { recursive: true });
process.exitCode = (await draw(folder, only)) > 0 ? 1 : 0;
