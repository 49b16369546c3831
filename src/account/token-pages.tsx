import { AccountShell } from '../console/account-shell.tsx';
import {
  Button,
  Card,
  CheckboxRow,
  CopyLine,
  Fact,
  Facts,
  Field,
  HiddenFields,
  Notice,
} from '../console/components.tsx';
import { PERSONAL_TOKEN_LIFETIMES } from '../oauth/model.ts';
import type { PersonalToken } from '../oauth/model.ts';
import type { Scope } from '../oauth/scopes.ts';
import type { SignedInShell } from '../identity/signed-in.ts';

const USUAL_LIFETIME = 90;

/** What was typed into the form, kept where it was refused. */
export interface TokenForm {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly days: number;
}

export interface TokensPageProps extends SignedInShell {
  readonly tokens: readonly PersonalToken[];
  readonly scopes: readonly Scope[];
  /** A token that was just made: shown now and never again. */
  readonly made?: string | undefined;
  readonly refused?: { readonly problem: string; readonly form: TokenForm } | undefined;
}

const date = (milliseconds: number) => new Date(milliseconds).toISOString().slice(0, 10);

function Made({ token }: { readonly token: string }) {
  return (
    <Notice title="Copy it now: it is shown this once">
      <CopyLine text={token} chief />
      <p>
        Send it as <code>Authorization: Bearer …</code> to <code>/mcp</code> or <code>/files</code>. Whoever has it may
        do what you allowed it, until it expires or you end it here.
      </p>
    </Notice>
  );
}

function TokenCard({ token, formToken }: { readonly token: PersonalToken; readonly formToken: string }) {
  const { grantId, name, scopes, createdAt, expiresAt, lastUsedAt } = token;
  return (
    <Card>
      <h2>{name}</h2>
      <Facts>
        <Fact term="May">{scopes.join(', ')}</Fact>
        <Fact term="Made">{date(createdAt)}</Fact>
        <Fact term="Expires">{date(expiresAt)}</Fact>
        <Fact term="Last used">{lastUsedAt === undefined ? 'never' : date(lastUsedAt)}</Fact>
      </Facts>
      <form method="post" action="/account/tokens/end">
        <HiddenFields values={{ form_token: formToken, token: grantId }} />
        <Button variant="secondary">End this token</Button>
      </form>
    </Card>
  );
}

function NewToken({ scopes, formToken, refused }: TokensPageProps) {
  const form = refused?.form ?? { name: '', scopes: [], days: USUAL_LIFETIME };
  return (
    <form class="stack" method="post" action="/account/tokens">
      <HiddenFields values={{ form_token: formToken }} />
      <Field
        id="name"
        name="name"
        label="What it is for"
        value={form.name}
        hint="Such as the name of the script or of the machine that it runs on."
        error={refused?.problem}
        autocomplete="off"
        required
      />
      <fieldset class="checks">
        <legend>What it may do</legend>
        {scopes.map(({ name, title, sentence }) => (
          <CheckboxRow
            id={`scope-${name}`}
            name="scope"
            value={name}
            label={title}
            hint={sentence}
            checked={form.scopes.includes(name)}
          />
        ))}
      </fieldset>
      <div class="stack tight">
        <label class="label" for="days">
          How long it lives
        </label>
        <select class="input" id="days" name="days">
          {PERSONAL_TOKEN_LIFETIMES.map((days) => (
            <option value={String(days)} selected={days === form.days}>
              {`${days} days`}
            </option>
          ))}
        </select>
      </div>
      <Button>Make a token</Button>
    </form>
  );
}

/** Personal access tokens: for scripts, which cannot sign in in a browser. */
export function TokensPage(props: TokensPageProps) {
  const { tokens, formToken, made, refused } = props;
  return (
    <AccountShell
      {...props}
      title={refused === undefined ? 'Personal tokens' : 'Error: Personal tokens'}
      current="/account/tokens"
    >
      <div class="stack tight">
        <h1>Personal tokens</h1>
        <p class="lead">
          For scripts and CI, which cannot sign in in a browser. Assistants need none: they ask you, and get access of
          their own.
        </p>
      </div>
      {made !== undefined && <Made token={made} />}
      {tokens.length === 0 ? (
        <p>You have none.</p>
      ) : (
        tokens.map((token) => <TokenCard token={token} formToken={formToken} />)
      )}
      <Card>
        <h2>A new token</h2>
        <NewToken {...props} />
      </Card>
    </AccountShell>
  );
}
