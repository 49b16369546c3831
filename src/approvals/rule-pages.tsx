import { AccountShell } from '../console/account-shell.tsx';
import { Button, Card, CheckboxRow, Field, HiddenFields, Notice, Untrusted } from '../console/components.tsx';
import type { SignedInShell } from '../identity/signed-in.ts';
import type { ApprovalRules } from './model.ts';
import type { KnownClient, RuleTool } from './service.ts';

const PATH = '/approvals';
const MB = 1_000_000;

interface RulesPageProps extends SignedInShell {
  readonly rules: ApprovalRules;
  readonly apps: readonly KnownClient[];
  readonly tools: readonly RuleTool[];
  readonly isSaved?: boolean;
  readonly refused?: { readonly megabytes: string; readonly problem: string };
}

/** Tools of one toolset, folded away unless one of them is chosen. */
function ToolChoices({
  toolset,
  tools,
  chosen,
}: {
  toolset: string;
  tools: readonly RuleTool[];
  chosen: readonly string[];
}) {
  return (
    <details open={tools.some(({ name }) => chosen.includes(name))}>
      <summary>{`Tools of ${toolset}`}</summary>
      <fieldset class="checks inside">
        <legend class="unseen">{`Ask me before these of ${toolset}`}</legend>
        {tools.map(({ name, title }) => (
          <CheckboxRow
            id={`tool-${name}`}
            name="tool"
            value={name}
            label={title}
            hint={<code>{name}</code>}
            checked={chosen.includes(name)}
          />
        ))}
      </fieldset>
    </details>
  );
}

/** When a person is asked. */
export function RulesPage(props: RulesPageProps) {
  const { rules, apps, tools, formToken, isSaved = false, refused } = props;
  const toolsets = [...new Set(tools.map(({ toolset }) => toolset))];
  const megabytes = refused?.megabytes ?? (rules.bytes === undefined ? '' : String(rules.bytes / MB));
  return (
    <AccountShell {...props} title={refused ? 'Error: When you are asked' : 'When you are asked'} current={PATH}>
      <div class="stack tight">
        <p>
          <a href={PATH}>All approvals</a>
        </p>
        <h1>When you are asked</h1>
        <p>
          Without a rule your apps do at once what you allowed them. What a rule holds up waits for your answer, and
          nothing of it is done before. Reading is never held up. No app can change these rules.
        </p>
      </div>
      {isSaved && (
        <Notice title="Saved">
          <p>The rules hold from the next call on.</p>
        </Notice>
      )}
      <form class="stack" method="post" action={`${PATH}/rules`}>
        <HiddenFields values={{ form_token: formToken }} />
        <Card>
          <fieldset class="checks">
            <legend>Ask me before</legend>
            <CheckboxRow
              id="always"
              name="always"
              value="on"
              label="Every call that changes something"
              hint="Whatever it is. Then the rest of this card says nothing more."
              checked={rules.always}
            />
            <CheckboxRow
              id="destructive"
              name="destructive"
              value="on"
              label="Calls that may destroy or overwrite"
              hint="Those of the tools that say so of themselves, such as deleting files."
              checked={rules.destructive}
            />
          </fieldset>
          <Field
            id="megabytes"
            name="megabytes"
            label="Calls that affect more than so many megabytes"
            value={megabytes}
            hint="The files that a call names, and what it brings. Empty: whatever the size."
            error={refused?.problem}
            autocomplete="off"
          />
          <div class="stack tight">
            <p class="label">Calls of these tools</p>
            <div class="folds flat">
              {toolsets.map((toolset) => (
                <ToolChoices
                  toolset={toolset}
                  tools={tools.filter((tool) => tool.toolset === toolset)}
                  chosen={rules.tools}
                />
              ))}
            </div>
            <p class="muted small">
              What programs store by HTTP counts as <code>file_write</code> or <code>file_upload</code>.
            </p>
          </div>
        </Card>
        {apps.length > 0 && (
          <Card>
            <fieldset class="checks">
              <legend>Let me answer in the app itself</legend>
              <p class="muted small">
                Only for apps that show you the question and cannot answer it themselves: what such an app says is your
                answer, is taken for yours.
              </p>
              {apps.map(({ clientId, name, domain }, at) => (
                <CheckboxRow
                  id={`client-${at}`}
                  name="client"
                  value={clientId}
                  label={<Untrusted>{domain ?? name ?? 'An app without a name'}</Untrusted>}
                  hint={domain === undefined ? 'Unverified: this app named itself' : 'Verified'}
                  checked={rules.clients.includes(clientId)}
                />
              ))}
            </fieldset>
          </Card>
        )}
        <div class="row">
          <Button>Save the rules</Button>
        </div>
      </form>
    </AccountShell>
  );
}
