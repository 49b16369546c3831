import { AccountShell } from '../console/account-shell.tsx';
import {
  Badge,
  Button,
  ButtonLink,
  Card,
  CopyLine,
  Field,
  HiddenFields,
  Item,
  Items,
  Select,
  Untrusted,
  When,
} from '../console/components.tsx';
import { AUDIT_ACTIONS } from '../directory/types.ts';
import type { AuditLine, Invitation, Person, PersonEntry } from '../directory/types.ts';
import type { SignedInShell } from '../identity/signed-in.ts';

/** The roles that can be given, the usual one first. */
const GIVEN_ROLES = [
  { value: 'member', label: 'member' },
  { value: 'admin', label: 'admin' },
  { value: 'auditor', label: 'auditor' },
];

interface PeopleProps extends SignedInShell {
  readonly people: readonly PersonEntry[];
  /** Where the next page of people begins. */
  readonly next: string | undefined;
  readonly invitations: readonly Invitation[];
  /** ms since the epoch. */
  readonly now: number;
  /** The link of the invitation that was made just now: it is shown this once. */
  readonly made?: string | undefined;
}

function PersonControls({ person, formToken }: { readonly person: PersonEntry; readonly formToken: string }) {
  const { id, role, disabledAt } = person;
  const action = `/admin/people/${id}`;
  return (
    <>
      <form method="post" action={action}>
        <HiddenFields values={{ form_token: formToken, change: 'role' }} />
        <Select
          id={`role-${id}`}
          name="role"
          label={`Role of ${person.email ?? id}`}
          options={GIVEN_ROLES}
          value={role}
          quiet
        />
        <Button variant="secondary">Set role</Button>
      </form>
      <form method="post" action={action}>
        <HiddenFields values={{ form_token: formToken, change: disabledAt === undefined ? 'disable' : 'enable' }} />
        <Button variant="secondary">{disabledAt === undefined ? 'Disable' : 'Enable'}</Button>
      </form>
    </>
  );
}

function PersonItem({ person, me, formToken }: { person: PersonEntry; me: Person; formToken: string }) {
  const { id, email, role, disabledAt, createdAt, lastSignInAt } = person;
  const own = id === me.id;
  return (
    <Item
      title={
        <>
          <Untrusted>{email ?? id}</Untrusted> <Badge>{role}</Badge> {own && <Badge>you</Badge>}{' '}
          {disabledAt !== undefined && <Badge tone="doubtful">disabled</Badge>}
        </>
      }
      note={
        <>
          Since <When at={createdAt} />
          {lastSignInAt !== undefined && (
            <>
              , last sign-in <When at={lastSignInAt} />
            </>
          )}
          {' · '}
          <a href={`/admin/audit?person=${id}`}>Audit</a>
        </>
      }
    >
      {own || role === 'owner' ? undefined : <PersonControls person={person} formToken={formToken} />}
    </Item>
  );
}

function stateOf({ usedBy, expiresAt }: Invitation, now: number): 'used' | 'expired' | 'open' {
  if (usedBy !== undefined) return 'used';
  return expiresAt <= now ? 'expired' : 'open';
}

function InvitationItem({ invitation, now, formToken }: { invitation: Invitation; now: number; formToken: string }) {
  const { id, role, note, createdAt, expiresAt } = invitation;
  const state = stateOf(invitation, now);
  return (
    <Item
      title={
        <>
          <Untrusted>{note === '' ? 'No note' : note}</Untrusted> <Badge>{role}</Badge>{' '}
          {state !== 'open' && <Badge tone="doubtful">{state}</Badge>}
        </>
      }
      note={
        <>
          Made <When at={createdAt} />, good until <When at={expiresAt} />
        </>
      }
    >
      {state === 'open' ? (
        <form method="post" action={`/admin/invitations/${id}/withdraw`}>
          <HiddenFields values={{ form_token: formToken }} />
          <Button variant="secondary">Take back</Button>
        </form>
      ) : undefined}
    </Item>
  );
}

/** Who is here and who is invited, for those who decide it. */
export function PeoplePage(props: PeopleProps) {
  const { people, next, invitations, now, made, person, formToken } = props;
  return (
    <AccountShell {...props} title="People" current="/admin/people">
      <section class="stack">
        <div class="stack tight">
          <h1>People</h1>
          <p>
            Whoever is disabled is out with their next request, in browsers and in apps. What people keep in their
            workspaces nobody sees but they themselves.
          </p>
        </div>
        <Items>
          {people.map((each) => (
            <PersonItem person={each} me={person} formToken={formToken} />
          ))}
        </Items>
        {next !== undefined && (
          <div class="row">
            <ButtonLink href={`/admin/people?after=${next}`}>More people</ButtonLink>
          </div>
        )}
      </section>
      <section class="stack" aria-labelledby="invitations">
        <div class="stack tight">
          <h2 id="invitations">Invitations</h2>
          <p>A link lets one person in, once, within a week. Whoever has it can use it: send it to them alone.</p>
        </div>
        {made !== undefined && (
          <Card>
            <div class="stack tight">
              <h3>The link, shown this once</h3>
              <CopyLine text={made} chief />
              <p class="muted small">One click selects all of it.</p>
            </div>
          </Card>
        )}
        {invitations.length > 0 && (
          <Items>
            {invitations.map((invitation) => (
              <InvitationItem invitation={invitation} now={now} formToken={formToken} />
            ))}
          </Items>
        )}
        <Card>
          <form class="stack" method="post" action="/admin/invitations">
            <HiddenFields values={{ form_token: formToken }} />
            <h3>Invite somebody</h3>
            <Field id="note" name="note" label="For whom" hint="For this list only; they do not see it." />
            <Select id="role" name="role" label="As" options={GIVEN_ROLES} />
            <Button>Make a link</Button>
          </form>
        </Card>
      </section>
    </AccountShell>
  );
}

interface AuditProps extends SignedInShell {
  readonly lines: readonly AuditLine[];
  /** How people are called, by their ids. */
  readonly names: ReadonlyMap<string, string>;
  readonly person: Person;
  readonly filter: { readonly person: string | undefined; readonly action: string | undefined };
  /** Where older lines are. */
  readonly older: string | undefined;
}

function Line({ line, names }: { readonly line: AuditLine; readonly names: ReadonlyMap<string, string> }) {
  const { action, at, personId, clientId, grantId, requestId, detail } = line;
  const told = (value: string | number | boolean) => names.get(String(value)) ?? String(value);
  const facts = [
    ...Object.entries(detail).map(([key, value]) => `${key.replaceAll('_', ' ')}: ${told(value)}`),
    ...(clientId === undefined ? [] : [`app: ${clientId}`]),
    ...(grantId === undefined ? [] : [`grant: ${grantId}`]),
    ...(requestId === undefined ? [] : [`request: ${requestId}`]),
  ];
  return (
    <Item
      title={
        <>
          {action.replaceAll('_', ' ')}
          {personId !== undefined && (
            <>
              {': '}
              <a href={`/admin/audit?person=${personId}`}>
                <Untrusted>{names.get(personId) ?? personId}</Untrusted>
              </a>
            </>
          )}
        </>
      }
      note={
        <>
          <When at={at} />
          <br />
          <Untrusted>{facts.join(' · ')}</Untrusted>
        </>
      }
    />
  );
}

/** What happened here that somebody may have to answer for. */
export function AuditPage(props: AuditProps) {
  const { lines, names, filter, older } = props;
  const options = AUDIT_ACTIONS.map((value) => ({ value, label: value.replaceAll('_', ' ') }));
  return (
    <AccountShell {...props} title="Audit" current="/admin/audit">
      <div class="stack">
        <div class="stack tight">
          <h1>Audit</h1>
          <p>Who came, who was refused, who changed what: the newest first. It never holds what people keep.</p>
        </div>
        <form class="filter" method="get" action="/admin/audit">
          <Select
            id="action"
            name="action"
            label="What"
            options={[{ value: '', label: 'everything' }, ...options]}
            value={filter.action}
          />
          <Field id="person" name="person" label="Person’s id" value={filter.person} />
          <Button variant="secondary">Show</Button>
        </form>
        {lines.length === 0 ? (
          <p>There is no such line.</p>
        ) : (
          <Items>
            {lines.map((line) => (
              <Line line={line} names={names} />
            ))}
          </Items>
        )}
        {older !== undefined && (
          <div class="row">
            <ButtonLink href={older}>Older</ButtonLink>
          </div>
        )}
      </div>
    </AccountShell>
  );
}
