import * as z from 'zod';

import type { Access, AccessControl } from '../http/access.ts';
import { endpoint, way } from '../http/endpoint.ts';
import { html, prefersHtml, seeOther } from '../http/html.ts';
import type { Endpoint, Handler, HttpContext, Route } from '../http/route.ts';
import type { SignedIn } from '../identity/signed-in.ts';
import { CarrelError } from '../lib/errors.ts';
import { APPROVALS_SCOPE } from './model.ts';
import type { Approval, Decision } from './model.ts';
import type { approvalList, shownApproval } from './operations.ts';
import { ApprovalPage, ApprovalsPage } from './pages.tsx';
import { RulesPage } from './rule-pages.tsx';
import type { ApprovalService } from './service.ts';

interface ApprovalRoutesOptions {
  readonly signedIn: SignedIn;
  readonly approvals: ApprovalService;
  readonly access: AccessControl;
}

const PATH = '/approvals';
const RULES = `${PATH}/rules`;
const MB = 1_000_000;

const byId = z.object({ id: z.string().describe('Id of an approval') });
const documents = () => import('./operations.ts');

/** What the form of the rules says. */
const ruleForm = z.object({
  always: z.boolean(),
  destructive: z.boolean(),
  tools: z.array(z.string().max(64)).max(500),
  megabytes: z
    .string()
    .trim()
    .refine((text) => text === '' || (/^\d{1,6}(?:\.\d{1,3})?$/.test(text) && Number(text) >= 0), {
      error: 'Give a number of megabytes, such as 10 or 0.5, or leave it empty.',
    }),
  clients: z.array(z.string().max(2000)).max(100),
});

/** The pages on which a person approves what their apps ask for, and the same for scripts of theirs. */
export function approvalRoutes({ signedIn, approvals, access }: ApprovalRoutesOptions): Route[] {
  /**
   * Lets a personal token through that was made for it. Not as other routes do: a challenge that names the scope would
   * send a client to ask for what no client is given.
   */
  const answering = async (context: HttpContext, handle: (access: Access) => Promise<Response>) =>
    access.serve(context, '', async (open) =>
      open.principal.scopes.includes(APPROVALS_SCOPE) ? handle(open) : insufficient(),
    );

  /** A page for people, who come without a token, and JSON for programs. */
  const both = (
    describe: Endpoint['describe'],
    page: Handler,
    handle: (access: Access, context: HttpContext, id: string) => Promise<Response>,
    params?: typeof byId,
  ): Endpoint => {
    const program = way({
      ...(params ? { params } : {}),
      handle: async (context: HttpContext) =>
        answering(context, async (open) => handle(open, context, context.params['id'] ?? '')),
    });
    const described = endpoint(describe, program);
    return {
      ...described,
      scopes: [APPROVALS_SCOPE],
      handle: (context) => (isForPeople(context) ? page(context) : described.handle(context)),
    };
  };

  const decision = (decided: Decision, describe: Endpoint['describe']): Endpoint =>
    both(
      describe,
      signedIn.form(PATH, async ({ session, params, requestId }) => {
        const id = params['id'] ?? '';
        await approvals.decide(approvals.own(session.person), id, decided, 'page', requestId);
        return seeOther(`${PATH}/${encodeURIComponent(id)}`);
      }),
      async ({ workspace, principal }, { origin, requestId }, id) => {
        const { approval, done } = await approvals.decide(workspace, id, decided, principal, requestId);
        if (!done)
          throw new CarrelError('conflict', 'It is over already: look at its status.', {
            details: { approval_status: approval.status },
          });
        return Response.json(shown(approval, origin), NOT_STORED);
      },
      byId,
    );

  return [
    {
      path: PATH,
      methods: {
        GET: both(
          async () => (await documents()).listApprovals,
          signedIn.page(async ({ shell, headers, origin }) => {
            const list = await approvals.list(approvals.own(shell.person));
            const askers = await approvals.askers(shell.person, [...list.pending, ...list.recent], origin);
            return html(<ApprovalsPage {...shell} list={list} askers={askers} />, { headers });
          }),
          async ({ workspace }, { origin }) => {
            const { pending, recent } = await approvals.list(workspace);
            const all = {
              pending: pending.map((each) => shown(each, origin)),
              recent: recent.map((each) => shown(each, origin)),
            } satisfies z.output<typeof approvalList>;
            return Response.json(all, NOT_STORED);
          },
        ),
      },
    },
    {
      // Before the ids, of which none is called so.
      path: RULES,
      methods: {
        GET: signedIn.page(async ({ shell, headers, origin, url }) => {
          const known = await approvals.rules(shell.person, origin);
          const isSaved = url.searchParams.has('saved');
          return html(<RulesPage {...shell} {...known} isSaved={isSaved} />, { headers });
        }),
        POST: signedIn.form(RULES, async ({ shell, session, form, origin, requestId }) => {
          const given = {
            always: form.has('always'),
            destructive: form.has('destructive'),
            tools: form.getAll('tool'),
            megabytes: form.get('megabytes') ?? '',
            clients: form.getAll('client'),
          };
          const { data, error } = ruleForm.safeParse(given);
          if (!data) {
            const known = await approvals.rules(shell.person, origin);
            const refused = { megabytes: given.megabytes.slice(0, 40), problem: error.issues[0]?.message ?? '' };
            const rules = { ...given, bytes: undefined };
            return html(<RulesPage {...shell} {...known} rules={rules} refused={refused} />, { status: 400 });
          }
          const { megabytes, ...rest } = data;
          const bytes = megabytes === '' ? undefined : Math.round(Number(megabytes) * MB);
          await approvals.setRules(session.person, { ...rest, bytes }, origin, requestId);
          return seeOther(`${RULES}?saved`);
        }),
      },
    },
    {
      path: `${PATH}/:id`,
      methods: {
        GET: both(
          async () => (await documents()).getApproval,
          signedIn.page(async ({ shell, headers, params, origin }) => {
            const approval = await approvals.get(approvals.own(shell.person), params['id'] ?? '');
            const askers = await approvals.askers(shell.person, [approval], origin);
            return html(<ApprovalPage {...shell} approval={approval} asker={askers.get(approval.grantId)} />, {
              headers,
            });
          }),
          async ({ workspace }, { origin }, id) =>
            Response.json(shown(await approvals.get(workspace, id), origin), NOT_STORED),
          byId,
        ),
      },
    },
    { path: `${PATH}/:id/approve`, methods: { POST: decision('approved', async () => (await documents()).approve) } },
    { path: `${PATH}/:id/deny`, methods: { POST: decision('denied', async () => (await documents()).deny) } },
  ];
}

const NOT_STORED = { headers: { 'Cache-Control': 'private, no-store' } };

/** Of a browser: a program sends a token, or wants no page. What has a token is never let in by a cookie. */
const isForPeople = ({ request }: HttpContext) => !request.headers.has('Authorization') && prefersHtml(request);

function insufficient(): Response {
  const said = 'error="insufficient_scope", error_description="Only a personal token made for it answers approvals"';
  return Response.json(
    { error: 'insufficient_scope' },
    { status: 403, headers: { 'WWW-Authenticate': `Bearer ${said}`, 'Cache-Control': 'no-store' } },
  );
}

const iso = (at: number) => new Date(at).toISOString();

function shown(approval: Approval, origin: string): z.output<typeof shownApproval> {
  const { id, status, summary, tool, destructive, hash, bytes, jobId, step, decidedAt, decidedBy } = approval;
  return {
    id,
    status,
    summary,
    tool,
    destructive,
    arguments: approval.arguments,
    arguments_length: approval.argumentsLength,
    arguments_sha256: approval.argumentsSha256,
    hash,
    files: approval.files.map(({ inTrash, ...file }) => ({ ...file, in_trash: inTrash })),
    file_count: approval.fileCount,
    bytes,
    asked_by: { client_id: approval.clientId, grant_id: approval.grantId },
    ...(jobId === undefined ? {} : { job_id: jobId }),
    ...(step === undefined ? {} : { step }),
    created_at: iso(approval.createdAt),
    expires_at: iso(approval.expiresAt),
    ...(decidedAt === undefined ? {} : { decided_at: iso(decidedAt) }),
    ...(decidedBy === undefined ? {} : { decided_by: decidedBy }),
    url: `${origin}${PATH}/${id}`,
  };
}
