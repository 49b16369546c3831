import * as z from 'zod';

import { readForm } from '../http/body.ts';
import type { FormTokens } from '../http/form-token.ts';
import { checkSender } from '../http/form-token.ts';
import { html, seeOther } from '../http/html.ts';
import { problem } from '../http/problem.ts';
import type { Handler, HttpContext, Route } from '../http/route.ts';
import type { Passkey, Person } from '../directory/types.ts';
import { CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { PASSKEY_SCRIPT, PASSKEY_SCRIPT_PATH } from './passkey-script.ts';
import type { Begun, PasskeyService } from './passkeys.ts';
import { safeReturnTo } from './return-to.ts';
import { signInRequest } from './sign-in.ts';
import type { SignInResult, SignInService } from './sign-in.ts';

interface PasskeyRoutesOptions {
  readonly signIn: SignInService;
  readonly passkeys: PasskeyService;
  readonly formTokens: FormTokens;
  readonly telemetry: Telemetry;
  /** Whether there are files here. */
  readonly files: boolean;
}

const PAGE = '/account/passkeys';
/** Where somebody arrives who entered with a first passkey. */
const FIRST = `${PAGE}/first`;

/** Loaded when somebody looks at them: few requests do. */
const pages = () => import('./passkey-pages.tsx');

const toSignIn = () => seeOther(`/sign-in?${new URLSearchParams({ return_to: PAGE }).toString()}`);

const text = z.string().max(10_000).default('');
const beginning = z.object({ return_to: text, address: text, name: text });

/**
 * What our script sent. No form of another site can send JSON, and no browser leaves out who sends it:
 * what is missing here cannot be told from a forgery, and nothing honest misses it.
 *
 * @throws CarrelError `forbidden`, `unsupported` or `invalid_input`
 */
async function readScript({ request, origin }: HttpContext): Promise<unknown> {
  checkSender(request, origin);
  if (request.headers.get('Origin') === null)
    throw new CarrelError('forbidden', 'Only pages of this deployment may call this address.');
  const type = request.headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new CarrelError('unsupported', 'Send JSON as application/json.');
  const body = parseJson(await request.text());
  if (typeof body !== 'object' || body === null) throw new CarrelError('invalid_input', 'Send a JSON object.');
  return body;
}

async function readBeginning(context: HttpContext): Promise<z.output<typeof beginning>> {
  const parsed = beginning.safeParse(await readScript(context));
  if (!parsed.success) throw new CarrelError('invalid_input', 'Send the fields of the form as texts.');
  return parsed.data;
}

/** An answer for the script, never stored. */
function answer(body: object, cookies: readonly string[]): Response {
  const response = Response.json(body, { headers: { 'Cache-Control': 'no-store' } });
  for (const cookie of cookies) response.headers.append('Set-Cookie', cookie);
  return response;
}

function refusal({ requestId }: HttpContext, result: { problem: string; cookies: readonly string[] }): Response {
  const response = problem(new CarrelError('forbidden', result.problem), requestId);
  for (const cookie of result.cookies) response.headers.append('Set-Cookie', cookie);
  return response;
}

const begun = (context: HttpContext, result: Begun) =>
  result.ok ? answer(result.options, [result.cookie]) : refusal(context, result);

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/CrOS/, 'Chromebook'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'Mac'],
  [/Linux/, 'Linux'],
];

/** A first name for a passkey, such as "Mac passkey". The person may change it. */
function deviceName({ headers }: Request): string {
  const system = SYSTEMS.find(([pattern]) => pattern.test(headers.get('User-Agent') ?? ''))?.[1];
  return system === undefined ? 'My passkey' : `${system} passkey`;
}

/** The name, with a number where another passkey has it. */
function unusedName(name: string, passkeys: readonly Passkey[]): string {
  const taken = new Set(passkeys.map((passkey) => passkey.name));
  const numbered = Array.from(taken, (_name, at) => `${name} ${at + 2}`);
  return [name, ...numbered].find((each) => !taken.has(each)) ?? name;
}

const needsScript: Handler = () => {
  throw new CarrelError(
    'invalid_input',
    'Passkeys need JavaScript, and this browser did not run ours. Switch it on for this site and open the page again, or use a recovery code.',
  );
};

/** Signing in with a passkey or a recovery code, and the page of a person's passkeys. */
export function passkeyRoutes({ signIn, passkeys, formTokens, telemetry, files }: PasskeyRoutesOptions): Route[] {
  const signedIn = (context: HttpContext, { personId, provider }: { personId: string; provider: string }) =>
    telemetry.record({ type: 'signed_in', personId, provider, requestId: context.requestId });

  const finished = (context: HttpContext, result: SignInResult) => {
    if (!result.ok) return refusal(context, result);
    return answer({ location: result.returnTo }, result.cookies);
  };

  /** @throws CarrelError `unauthenticated` */
  const mustBeSomebody = async ({ request }: HttpContext): Promise<Person> => {
    const session = await signIn.current(request);
    if (session) return session.person;
    throw new CarrelError('unauthenticated', 'You are signed out. Sign in, then open your passkeys again.');
  };

  /** A form of the page of passkeys, with whoever sent it. */
  const accountForm =
    (handle: (context: HttpContext, person: Person, form: URLSearchParams) => Promise<Response>): Handler =>
    async (context) => {
      const form = await readForm(context.request);
      await formTokens.check(context.request, form, context.origin);
      passkeys.provider(signInRequest(context));
      return handle(context, await mustBeSomebody(context), form);
    };

  const setCookie = (cookie: string | undefined) => (cookie === undefined ? {} : { 'Set-Cookie': cookie });

  const finishRegistration =
    (purpose: 'entry' | 'addition'): Handler =>
    async (context) => {
      const result = await passkeys.finishRegistration(signInRequest(context), purpose, await readScript(context));
      if (result.ok && purpose === 'entry') signedIn(context, result);
      return finished(context, result);
    };

  const recoveryPage = async ({ request, origin }: HttpContext, returnTo: string | null, error?: string) => {
    const { token, cookie } = await formTokens.bind(request);
    const { RecoveryPage } = await pages();
    return html(<RecoveryPage formToken={token} returnTo={safeReturnTo(returnTo, origin)} error={error} />, {
      status: error === undefined ? 200 : 400,
      headers: setCookie(cookie),
    });
  };

  return [
    { path: '/sign-in/passkey', methods: { POST: needsScript } },
    {
      path: '/sign-in/passkey/options',
      methods: {
        POST: async (context) => {
          const { return_to: returnTo } = await readBeginning(context);
          return begun(
            context,
            await passkeys.beginSignIn(signInRequest(context), safeReturnTo(returnTo, context.origin)),
          );
        },
      },
    },
    {
      path: '/sign-in/passkey/finish',
      methods: {
        POST: async (context) => {
          const result = await passkeys.finishSignIn(signInRequest(context), await readScript(context));
          if (result.ok) signedIn(context, result);
          return finished(context, result);
        },
      },
    },
    { path: '/sign-in/passkey/new', methods: { POST: needsScript } },
    {
      path: '/sign-in/passkey/new/options',
      methods: {
        POST: async (context) => {
          const { address, return_to: returnTo } = await readBeginning(context);
          const onward = new URLSearchParams({ return_to: safeReturnTo(returnTo, context.origin) });
          const name = deviceName(context.request);
          return begun(
            context,
            await passkeys.beginEntry(signInRequest(context), address, name, `${FIRST}?${onward.toString()}`),
          );
        },
      },
    },
    { path: '/sign-in/passkey/new/finish', methods: { POST: finishRegistration('entry') } },
    {
      path: '/sign-in/recovery',
      methods: {
        GET: async (context) => {
          passkeys.provider(signInRequest(context));
          return recoveryPage(context, context.url.searchParams.get('return_to'));
        },
        POST: async (context) => {
          const form = await readForm(context.request);
          await formTokens.check(context.request, form, context.origin);
          const wanted = safeReturnTo(form.get('return_to'), context.origin);
          // Whoever needs a code has lost their passkeys: unless they were on their way, they make a new one.
          const returnTo = wanted === '/' ? PAGE : wanted;
          const result = await passkeys.recover(signInRequest(context), form.get('code') ?? '', returnTo);
          if (!result.ok) return recoveryPage(context, wanted, result.problem);
          signedIn(context, result);
          const headers = new Headers();
          for (const cookie of result.cookies) headers.append('Set-Cookie', cookie);
          return seeOther(result.returnTo, headers);
        },
      },
    },
    {
      path: PAGE,
      methods: {
        GET: async (context) => {
          const { request } = context;
          passkeys.provider(signInRequest(context));
          const session = await signIn.current(request);
          if (!session) return toSignIn();
          const { token, cookie } = await formTokens.bind(request);
          const overview = await passkeys.overview(session.person.id);
          const { PasskeysPage } = await pages();
          return html(
            <PasskeysPage
              {...overview}
              person={session.person}
              formToken={token}
              files={files}
              nextName={unusedName(deviceName(request), overview.passkeys)}
            />,
            { headers: setCookie(cookie), script: true },
          );
        },
      },
    },
    {
      path: FIRST,
      methods: {
        GET: async (context) => {
          const { request, url, origin } = context;
          passkeys.provider(signInRequest(context));
          const session = await signIn.current(request);
          if (!session) return toSignIn();
          const { token, cookie } = await formTokens.bind(request);
          const onward = safeReturnTo(url.searchParams.get('return_to'), origin);
          const { FirstPasskeyPage } = await pages();
          return html(<FirstPasskeyPage person={session.person} formToken={token} onward={onward} />, {
            headers: setCookie(cookie),
          });
        },
      },
    },
    { path: `${PAGE}/new`, methods: { POST: needsScript } },
    {
      path: `${PAGE}/new/options`,
      methods: {
        POST: async (context) => {
          const { name } = await readBeginning(context);
          const person = await mustBeSomebody(context);
          return begun(context, await passkeys.beginAddition(signInRequest(context), person, name, PAGE));
        },
      },
    },
    { path: `${PAGE}/new/finish`, methods: { POST: finishRegistration('addition') } },
    {
      path: `${PAGE}/rename`,
      methods: {
        POST: accountForm(async (_context, person, form) => {
          await passkeys.rename(person, form.get('credential') ?? '', form.get('name') ?? '');
          return seeOther(PAGE);
        }),
      },
    },
    {
      path: `${PAGE}/remove`,
      methods: {
        POST: accountForm(async ({ request, requestId }, person, form) => {
          const session = await signIn.sessionId(request);
          await passkeys.remove(person, form.get('credential') ?? '', session, requestId);
          return seeOther(PAGE);
        }),
      },
    },
    {
      path: `${PAGE}/codes`,
      methods: {
        POST: accountForm(async ({ requestId, origin }, person, form) => {
          const codes = await passkeys.makeCodes(person, requestId);
          const { RecoveryCodesPage } = await pages();
          return html(
            <RecoveryCodesPage
              person={person}
              formToken={form.get('form_token') ?? ''}
              codes={codes}
              onward={safeReturnTo(form.get('return_to'), origin)}
            />,
          );
        }),
      },
    },
    {
      path: PASSKEY_SCRIPT_PATH,
      methods: {
        GET: () =>
          new Response(PASSKEY_SCRIPT, {
            headers: {
              'Content-Type': 'text/javascript; charset=utf-8',
              'Cache-Control': 'public, max-age=31536000, immutable',
            },
          }),
      },
    },
  ];
}
