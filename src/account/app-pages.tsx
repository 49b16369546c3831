import { AccountShell } from '../console/account-shell.tsx';
import { Button, CheckboxRow, Fact, Facts, HiddenFields, Notice, When } from '../console/components.tsx';
import { AppHeading } from './app-heading.tsx';
import type { SignedInShell } from '../identity/signed-in.ts';
import type { ConnectedApp } from './service.ts';

interface AppsProps extends SignedInShell {
  readonly apps: readonly ConnectedApp[];
}

/** Where an app's access goes: a host; a scheme for an app on a device. */
function redirectPlace({ redirectUri, onDevice }: ConnectedApp): string {
  if (onDevice) return 'the device whose code you entered';
  const url = URL.parse(redirectUri ?? '');
  if (!url) return 'unknown';
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.host : `${url.protocol} links on a device`;
}

interface AppProps {
  readonly app: ConnectedApp;
  readonly formToken: string;
}

/** Takes scopes from an app; never adds one, which only the app can ask for. */
function Narrow({ app: { grantId, permissions }, formToken }: AppProps) {
  return (
    <div class="folds flat">
      <details>
        <summary>Let it do less</summary>
        <form class="inside stack" method="post" action={`/account/apps/${encodeURIComponent(grantId)}/narrow`}>
          <HiddenFields values={{ form_token: formToken }} />
          <fieldset class="checks">
            <legend class="unseen">What it may still do</legend>
            {permissions.map(({ name, title, sentence }) => (
              <CheckboxRow id={`${grantId}-${name}`} name="scope" value={name} label={title} hint={sentence} checked />
            ))}
          </fieldset>
          <p class="muted small">
            What you untick ends with its next request, and it stays connected. To get it back, the app has to ask you.
          </p>
          <div class="row">
            <Button variant="secondary">Keep only what is ticked</Button>
          </div>
        </form>
      </details>
    </div>
  );
}

function App({ app, formToken }: AppProps) {
  const { name, domain, scopes, createdAt, lastUsedAt, grantId } = app;
  return (
    <article class="card stack" aria-labelledby={`app-${grantId}`}>
      <div class="stack tight">
        <AppHeading id={`app-${grantId}`} name={name} domain={domain} otherwise="An app without a name" />
      </div>
      <Facts>
        <Fact term="Access goes to">{redirectPlace(app)}</Fact>
        <Fact term="It may">
          {scopes.map((scope, at) => (
            <>
              {at > 0 && ', '}
              <code>{scope}</code>
            </>
          ))}
        </Fact>
        <Fact term="Last used">
          <When at={lastUsedAt} />
          <p class="muted small">
            Allowed <When at={createdAt} />
          </p>
        </Fact>
      </Facts>
      {scopes.length > 1 && <Narrow app={app} formToken={formToken} />}
      <form class="row" method="post" action={`/account/apps/${encodeURIComponent(grantId)}/revoke`}>
        <HiddenFields values={{ form_token: formToken }} />
        <Button variant="secondary">Disconnect</Button>
        <span class="muted small">It ends with its next request.</span>
      </form>
    </article>
  );
}

/** Which apps a person let in. */
export function AppsPage(props: AppsProps) {
  const { apps, formToken } = props;
  return (
    <AccountShell {...props} title="Connected apps" current="/account/apps">
      <div class="stack tight">
        <h1>Connected apps</h1>
        <p>
          Each of these reaches your workspace until you disconnect it or it stays away for weeks. One app on two
          devices is here twice. When it was last used is known to the hour.
        </p>
        <p>
          An app does not connect? <a href="/account/connections">See how far it came</a>.
        </p>
      </div>
      {apps.length === 0 ? (
        <Notice title="No app is connected">
          <p>
            <a href="/">The start page</a> says how to connect one.
          </p>
        </Notice>
      ) : (
        apps.map((app) => <App app={app} formToken={formToken} />)
      )}
    </AccountShell>
  );
}
