import { type ClientGuide, clientGuides } from './client-guides.tsx';
import { CopyLine, Notice } from './components.tsx';
import { Page } from './layout.tsx';

interface HomePageProps {
  /** The deployment's own origin, from the settings. */
  readonly origin: string;
  /** What people give to their clients. */
  readonly mcpUrl: string;
  /** With which the address lists the tools of the research desk too; undefined where there is none. */
  readonly longQuery?: string | undefined;
  readonly deployment: 'development' | 'production';
  readonly devSignIn: boolean;
  readonly personEmail?: string | undefined;
  /** For the sign-out form in the header. */
  readonly formToken?: string | undefined;
}

function Guide({ guide, outOfReach }: { readonly guide: ClientGuide; readonly outOfReach: boolean }) {
  return (
    <details>
      <summary>{guide.name}</summary>
      <div class="inside stack">
        {outOfReach && (
          <Notice>
            <p>
              {guide.name} connects from the internet and cannot reach a Carrel on your own computer. These steps work
              once it is deployed.
            </p>
          </Notice>
        )}
        <ol>
          {guide.steps.map((step) => (
            <li>{step}</li>
          ))}
        </ol>
      </div>
    </details>
  );
}

/** What somebody sees who opens the deployment's address in a browser: what it is and how to connect to it. */
export function HomePage(props: HomePageProps) {
  const { origin, mcpUrl, longQuery, deployment, devSignIn, personEmail, formToken } = props;
  const local = deployment === 'development';
  return (
    <Page
      title="Connect your assistant"
      wide
      person={personEmail === undefined ? undefined : { email: personEmail, formToken }}
    >
      <div class="stack loose">
        <div class="stack">
          <h1>A desk of your own, for you and your assistants</h1>
          <p class="lead">
            Carrel gives everyone who signs in a private workspace that outlives any chat: named sessions, and the files
            that belong to them. The AI assistants you already use reach it through one address, each only after you
            have allowed it.
          </p>
          {local && (
            <Notice title="A development copy">
              <p>
                It runs at <code>{origin}</code> and only programs on this computer can reach it.
                {devSignIn && ' Any e-mail address signs in here.'}
              </p>
            </Notice>
          )}
        </div>
        <section class="stack" aria-labelledby="address">
          <div class="stack tight">
            <h2 id="address">The address</h2>
            <CopyLine text={mcpUrl} chief />
            <p class="muted small">One click selects all of it. Give it to any client that speaks MCP.</p>
          </div>
          {longQuery !== undefined && (
            <div class="stack tight">
              <p>
                To research with it (sources that are kept as they were, quotes that are proved, reports that cite),
                give your client this one instead. It lists more tools, which every conversation has to read.
              </p>
              <CopyLine text={mcpUrl + longQuery} />
            </div>
          )}
        </section>
        <section class="stack" aria-labelledby="connect">
          <div class="stack tight">
            <h2 id="connect">Connect a client</h2>
            <p>
              Whichever you use, a browser opens: you sign in, you see what the app asks for, you allow it. There is
              nothing to install.
            </p>
          </div>
          <div class="folds">
            {clientGuides(mcpUrl).map((guide) => (
              <Guide guide={guide} outOfReach={local && guide.fromTheCloud} />
            ))}
          </div>
        </section>
        <p>
          Scripts need no model in between: <a href="/docs">the HTTP API</a> moves files and connects clients of your
          own.
        </p>
      </div>
    </Page>
  );
}
