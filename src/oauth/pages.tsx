import {
  Button,
  Card,
  CheckboxRow,
  Fact,
  Facts,
  HiddenFields,
  Notice,
  RequestId,
  Untrusted,
} from '../console/components.tsx';
import { Page } from '../console/layout.tsx';
import { DecisionButtons, ScopeChoices } from '../console/scope-choices.tsx';
import type { ScopeChoice } from '../console/scope-choices.tsx';

export interface ConsentPageProps {
  /** Untrusted: whatever the client calls itself. */
  readonly clientName: string;
  /** The domain that proved to describe this client. Absent: nobody vouches for the name. */
  readonly clientDomain?: string | undefined;
  /** Untrusted: the website that the client states. Shown only where it is a web address. */
  readonly clientUri?: string | undefined;
  /** Where the token goes: a host, with its port on loopback; a scheme such as `cursor:` for a private-use one. */
  readonly redirectHost: string;
  readonly redirectIsLoopback: boolean;
  readonly redirectIsPrivateUse: boolean;
  readonly personEmail: string;
  readonly scopes: readonly ScopeChoice[];
  /** Names this one request; it can be answered once. */
  readonly handle: string;
  readonly mayRemember: boolean;
  /** Where the decision is posted. */
  readonly action: string;
  /** For the sign-out form: binds it to this browser. */
  readonly formToken: string;
  /** For the sign-out form: leads back to this request, as somebody else. */
  readonly returnTo: string;
  /** What was wrong with the last answer, such as no permission chosen. */
  readonly error?: string | undefined;
}

function websiteHost(uri: string | undefined): string | undefined {
  const url = uri === undefined ? null : URL.parse(uri);
  return url?.protocol === 'https:' ? url.host : undefined;
}

function Client({ clientName, clientDomain, clientUri, redirectHost, ...redirect }: ConsentPageProps) {
  const website = websiteHost(clientUri);
  return (
    <Facts>
      <Fact term="App">
        <div class="chief">
          <Untrusted>{clientName}</Untrusted>
        </div>
        {clientDomain === undefined ? (
          <span class="small">
            <strong class="doubtful">Unverified:</strong> this app named itself
          </span>
        ) : (
          <span class="small">
            <strong class="good">Verified:</strong> its details come from <strong>{clientDomain}</strong>
          </span>
        )}
      </Fact>
      {website !== undefined && website !== clientDomain && (
        // Not a link: the one page where an address that nobody checked must not be a click away.
        <Fact term="Website it states (not checked)">{website}</Fact>
      )}
      <Fact term="Access goes to">
        <strong>{redirectHost}</strong>
        {redirect.redirectIsLoopback && ' on this computer'}
        {redirect.redirectIsPrivateUse && ' links on this device'}
      </Fact>
    </Facts>
  );
}

function RedirectWarning({ redirectIsLoopback, redirectIsPrivateUse }: ConsentPageProps) {
  if (redirectIsLoopback)
    return (
      <Notice tone="warning" title="Did you start this just now?">
        <p>
          Access goes to a program on your own computer, and another program could be listening there. Allow it only if
          you have just begun to sign in from this app.
        </p>
      </Notice>
    );
  if (redirectIsPrivateUse)
    return (
      <Notice tone="warning" title="Did you start this just now?">
        <p>
          Access goes to whichever app on this device opens such links, and another app could have claimed them. Allow
          it only if you have just begun to sign in from this app.
        </p>
      </Notice>
    );
  return null;
}

function Decision({ action, handle, scopes, mayRemember, error }: ConsentPageProps) {
  return (
    <form class="stack" method="post" action={action}>
      <HiddenFields values={{ handle }} />
      <ScopeChoices scopes={scopes} error={error} />
      {mayRemember && (
        <CheckboxRow id="remember" name="remember" value="yes" label="Don’t ask again for this app in this browser" />
      )}
      <DecisionButtons />
      <p class="muted small">
        The access ends at once when you disconnect it, in the app or in your account here, and by itself when the app
        stays away for weeks.
      </p>
    </form>
  );
}

/**
 * Asks the person whether this client may use their workspace. What the client says about itself
 * stands apart from what was checked, and never in a heading or in the window's title.
 */
export function ConsentPage(props: ConsentPageProps) {
  const { personEmail, formToken, returnTo, error } = props;
  return (
    <Page title="Allow access" status={error === undefined ? undefined : 'Error'}>
      <Card>
        <div class="stack tight">
          <h1>Let this app use your workspace?</h1>
          <form class="row" method="post" action="/sign-out">
            <HiddenFields values={{ form_token: formToken, return_to: returnTo }} />
            <p class="muted">
              Signed in as <Untrusted>{personEmail}</Untrusted>
            </p>
            <Button variant="quiet">Not you? Sign out</Button>
          </form>
        </div>
        <Client {...props} />
        <RedirectWarning {...props} />
        <Decision {...props} />
      </Card>
    </Page>
  );
}

export interface AuthorizeErrorPageProps {
  readonly title: string;
  readonly explanation: string;
  readonly whatToDo: string;
  readonly requestId: string;
}

/** For a request that must not be sent back to the client, because nobody knows who would receive the answer. */
export function AuthorizeErrorPage({ title, explanation, whatToDo, requestId }: AuthorizeErrorPageProps) {
  return (
    <Page title={title} status="Not connected">
      <Card>
        <div class="stack tight">
          <p class="eyebrow">The app was not connected</p>
          <h1>{title}</h1>
        </div>
        <div class="stack tight">
          <p>{explanation}</p>
          <p>{whatToDo}</p>
        </div>
        <RequestId id={requestId} />
      </Card>
    </Page>
  );
}
