import * as z from 'zod';

import { AUDIT_ACTIONS } from '../directory/types.ts';
import type { Person } from '../directory/types.ts';
import { html, seeOther } from '../http/html.ts';
import type { Route } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import { AuditPage, PeoplePage } from './admin-pages.tsx';
import type { PeopleService } from './people.ts';
import type { SignedIn, SignedInContext } from '../identity/signed-in.ts';

interface AdminRoutesOptions {
  readonly people: PeopleService;
  readonly signedIn: SignedIn;
}

const givenRole = z.enum(['admin', 'member', 'auditor']);
const personForm = z.discriminatedUnion('change', [
  z.object({ change: z.literal('role'), role: givenRole }),
  z.object({ change: z.literal('disable') }),
  z.object({ change: z.literal('enable') }),
]);
const invitationForm = z.object({ role: givenRole, note: z.string().trim().max(200) });
/** A filter that is empty or none is no filter: the address bar is no place for errors. */
const auditQuery = z.object({
  person: z.string().trim().min(1).max(100).optional().catch(undefined),
  action: z.enum(AUDIT_ACTIONS).optional().catch(undefined),
  before: z.coerce.number().int().positive().optional().catch(undefined),
});

/** @throws CarrelError `invalid_input` for a form that no page of ours sends */
function fieldsOf<Schema extends z.ZodType>(schema: Schema, form: URLSearchParams): z.output<Schema> {
  const parsed = schema.safeParse(Object.fromEntries(form));
  if (!parsed.success) throw new CarrelError('invalid_input', 'The form is not complete. Open the page again.');
  return parsed.data;
}

/** The pages of those who run the deployment. Who may do what is the service's to say. */
export function adminRoutes({ people, signedIn }: AdminRoutesOptions): Route[] {
  const peoplePage = async (
    { shell, headers, url }: Pick<SignedInContext, 'shell' | 'headers' | 'url'>,
    made?: string,
  ): Promise<Response> => {
    const actor: Person = shell.person;
    const after = url.searchParams.get('after') ?? undefined;
    const [{ people: shown, next }, invitations] = await Promise.all([
      people.list(actor, after),
      people.invitations(actor),
    ]);
    return html(
      <PeoplePage {...shell} people={shown} next={next} invitations={invitations} now={Date.now()} made={made} />,
      { headers },
    );
  };

  return [
    { path: '/admin/people', methods: { GET: signedIn.page((context) => peoplePage(context)) } },
    {
      path: '/admin/people/:id',
      methods: {
        POST: signedIn.form('/admin/people', async ({ session, form, params, requestId }) => {
          const [actor, id] = [session.person, params['id'] ?? ''];
          const fields = fieldsOf(personForm, form);
          if (fields.change === 'role') await people.changeRole(actor, id, fields.role, requestId);
          else if (fields.change === 'disable') await people.disable(actor, id, requestId);
          else await people.enable(actor, id, requestId);
          return seeOther('/admin/people');
        }),
      },
    },
    {
      path: '/admin/invitations',
      methods: {
        // Answered with the page itself: the link is kept nowhere from which another could show it.
        POST: signedIn.form('/admin/people', async ({ session, form, origin, requestId, ...context }) => {
          const { role, note } = fieldsOf(invitationForm, form);
          const secret = await people.invite(session.person, role, note, requestId);
          const shown = signedIn.page((page) => peoplePage(page, `${origin}/invite/${secret}`));
          return shown({ ...context, origin, requestId });
        }),
      },
    },
    {
      path: '/admin/invitations/:id/withdraw',
      methods: {
        POST: signedIn.form('/admin/people', async ({ session, params, requestId }) => {
          await people.withdraw(session.person, params['id'] ?? '', requestId);
          return seeOther('/admin/people');
        }),
      },
    },
    {
      path: '/admin/audit',
      methods: {
        GET: signedIn.page(async ({ session, shell, headers, url }) => {
          const { action, ...filter } = auditQuery.parse(Object.fromEntries(url.searchParams));
          const query = { ...filter, actions: action && [action] };
          const { lines, names, next } = await people.audit(session.person, query);
          const older = new URL(url);
          older.searchParams.set('before', String(next));
          return html(
            <AuditPage
              {...shell}
              lines={lines}
              names={names}
              filter={{ person: filter.person, action }}
              older={next === undefined ? undefined : older.pathname + older.search}
            />,
            { headers },
          );
        }),
      },
    },
  ];
}
