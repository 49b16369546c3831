import { AccountShell } from '../console/account-shell.tsx';
import {
  Badge,
  Button,
  ButtonLink,
  Fact,
  Facts,
  HiddenFields,
  Item,
  Items,
  Untrusted,
  When,
} from '../console/components.tsx';
import type { BrowserSession, LinkedIdentity, Person } from '../directory/types.ts';
import type { SignedInShell } from '../identity/signed-in.ts';

const ROLE_NOTES: Readonly<Record<Person['role'], string>> = {
  owner: 'This deployment is yours: you decide who gets in.',
  admin: 'You let people in, and end their access.',
  member: 'You have a workspace of your own.',
  auditor: 'You see who came and went, never what anybody keeps. You have a workspace of your own.',
};

/** A way to sign in that can be linked. */
export interface LinkChoice {
  readonly name: string;
  readonly label: string;
}

interface AccountProps extends SignedInShell {
  readonly identities: readonly (LinkedIdentity & { readonly removable: boolean })[];
  /** How each provider is called, by its name. */
  readonly providers: ReadonlyMap<string, string>;
  readonly linkable: readonly LinkChoice[];
  /** Shows that a link to a provider stood on this page. */
  readonly linkToken: string;
  readonly sessions: readonly BrowserSession[];
  /** Of the browser that asks. */
  readonly session: string | undefined;
}

function Identities({ identities, providers, linkable, linkToken, formToken, passkeys }: AccountProps) {
  return (
    <section class="stack" aria-labelledby="identities">
      <div class="stack tight">
        <h2 id="identities">How you sign in</h2>
        <p>Each of these lets you in here. Keep at least two, so that losing one does not lock you out.</p>
      </div>
      <Items>
        {identities.map(({ provider, subject, label, createdAt, lastUsedAt, removable }) => (
          <Item
            title={<Untrusted>{label}</Untrusted>}
            note={
              <>
                {providers.get(provider) ?? provider}, since <When at={createdAt} />
                {lastUsedAt !== undefined && (
                  <>
                    , last used <When at={lastUsedAt} />
                  </>
                )}
              </>
            }
          >
            {removable && (
              <form method="post" action="/account/identities/remove">
                <HiddenFields values={{ form_token: formToken, provider, subject }} />
                <Button variant="secondary">Remove</Button>
              </form>
            )}
          </Item>
        ))}
      </Items>
      {(linkable.length > 0 || passkeys) && (
        <div class="row">
          {linkable.map(({ name, label }) => (
            <ButtonLink href={`/sign-in/${name}?link=${linkToken}&return_to=/account`}>{`Link ${label}`}</ButtonLink>
          ))}
          {passkeys && <ButtonLink href="/account/passkeys">Your passkeys</ButtonLink>}
        </div>
      )}
    </section>
  );
}

function Sessions({ sessions, session, providers, formToken }: AccountProps) {
  return (
    <section class="stack" aria-labelledby="sessions">
      <div class="stack tight">
        <h2 id="sessions">Where you are signed in</h2>
        <p>Browsers only. Apps that you let in are under connected apps, and stay when you sign out.</p>
      </div>
      <Items>
        {sessions.map(({ id, provider, createdAt, expiresAt }) => (
          <Item
            title={
              <>
                {providers.get(provider) ?? provider} {id === session && <Badge>This browser</Badge>}
              </>
            }
            note={
              <>
                Since <When at={createdAt} />, until <When at={expiresAt} />
              </>
            }
          />
        ))}
      </Items>
      <div class="row">
        {sessions.length > 1 && (
          <form method="post" action="/account/sessions/end-others">
            <HiddenFields values={{ form_token: formToken }} />
            <Button variant="secondary">Sign out everywhere else</Button>
          </form>
        )}
        <form method="post" action="/sign-out">
          <HiddenFields values={{ form_token: formToken, return_to: '/' }} />
          <Button variant="secondary">Sign out here</Button>
        </form>
      </div>
    </section>
  );
}

/** Who a person is here, and how they get in. */
export function AccountPage(props: AccountProps) {
  const { person } = props;
  return (
    <AccountShell {...props} title="Your account" current="/account">
      <div class="stack">
        <h1>Your account</h1>
        <Facts>
          <Fact term="You are">
            <Untrusted>{person.email ?? person.id}</Untrusted>
          </Fact>
          <Fact term="Your role">
            <strong>{person.role}</strong>
            <p class="muted small">{ROLE_NOTES[person.role]}</p>
          </Fact>
          <Fact term="Your id">
            <code class="select">{person.id}</code>
          </Fact>
        </Facts>
      </div>
      <Identities {...props} />
      <Sessions {...props} />
    </AccountShell>
  );
}
