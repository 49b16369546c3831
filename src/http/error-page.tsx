import { ButtonLink, Card, CopyLine, Prose, RequestId } from '../console/components.tsx';
import { Page } from '../console/layout.tsx';
import type { SettingsFault } from '../settings.ts';

export interface ErrorPageProps {
  readonly status: number;
  readonly title: string;
  readonly explanation: string;
  readonly whatToDo?: string | undefined;
  readonly requestId: string;
}

/** What a person sees when a request fails: what happened, what to do, and what to quote. */
export function ErrorPage({ status, title, explanation, whatToDo, requestId }: ErrorPageProps) {
  // After a wrong turn the start page helps; after any other failure it would only hide what went wrong.
  const lost = status === 404 || status === 405;
  return (
    <Page title={title} status={String(status)}>
      <Card>
        <div class="stack tight">
          <p class="eyebrow">Error {status}</p>
          <h1>{title}</h1>
        </div>
        <div class="stack tight">
          <p>{explanation}</p>
          {whatToDo !== undefined && <p>{whatToDo}</p>}
        </div>
        {lost && (
          <div class="row">
            <ButtonLink href="/">To the start page</ButtonLink>
          </div>
        )}
        <RequestId id={requestId} />
      </Card>
    </Page>
  );
}

function Faults({ faults }: { readonly faults: readonly SettingsFault[] }) {
  return (
    <>
      <div class="stack tight">
        <h1>The configuration needs mending</h1>
        <p>
          Carrel will not start until {faults.length === 1 ? 'this is' : 'these are'} right. If somebody gave you this
          address, tell them what you see here.
        </p>
      </div>
      <ul>
        {faults.map(({ setting, problem }) => (
          <li>
            <code>{setting}</code> <Prose text={problem.endsWith('.') ? problem : `${problem}.`} />
          </li>
        ))}
      </ul>
      <div class="stack tight">
        <p>
          Vars stand in <code>wrangler.toml</code>; set a secret with:
        </p>
        <CopyLine text="npx wrangler secret put NAME" />
        <p>
          Then run <code>npm run deploy</code> again.
        </p>
      </div>
    </>
  );
}

function MissingAddress() {
  return (
    <>
      <div class="stack tight">
        <h1>Almost there</h1>
        <p>
          Carrel is deployed, but it does not know its own address yet: <code>PUBLIC_URL</code> is not set. Until it is,
          nobody can sign in and no app can connect.
        </p>
      </div>
      <div class="stack tight">
        <h2>If you run it</h2>
        <p>This finds the address out and sets it:</p>
        <CopyLine text="npm run deploy" />
        <p>
          For a domain of your own, first put this with your address into <code>wrangler.toml</code>:
        </p>
        <CopyLine text={'PUBLIC_URL = "https://carrel.example.com"'} />
      </div>
    </>
  );
}

/** The only page of a deployment that cannot work yet. It names every fault at once and never a value. */
export function SetupPage({ faults = [] }: { readonly faults?: readonly SettingsFault[] }) {
  return (
    <Page title="Set up">
      <Card>{faults.length > 0 ? <Faults faults={faults} /> : <MissingAddress />}</Card>
    </Page>
  );
}
