import { CopyLine, Fact, Facts, Prose } from '../console/components.tsx';
import { Page } from '../console/layout.tsx';
import type { Example } from '../http/operation.ts';
import type { Scope } from '../oauth/scopes.ts';
import { curlCommand } from './curl.ts';
import type { ApiDescription, Content, DescribedAnswer, DescribedEndpoint, Parameter } from './describe.ts';
import { GROUP_DESCRIPTIONS } from './openapi.ts';
import { Fields, TypeOf } from './schema-view.tsx';

interface DocsPageProps {
  readonly description: ApiDescription;
  readonly scopes: readonly Scope[];
}

/** All HTTP routes on one page: it loads nothing, so what is long is folded and not fetched. */
export function DocsPage({ description: { endpoints, schemas }, scopes }: DocsPageProps) {
  const groups = [...new Set(endpoints.map(({ operation }) => operation.group))];
  const ofGroup = (group: string) => endpoints.filter(({ operation }) => operation.group === group);
  return (
    <Page title="HTTP API" wide>
      <div class="stack loose docs">
        <div class="stack">
          <h1>The HTTP API</h1>
          <p class="lead">
            For scripts, and for whoever connects a client of their own. Assistants need none of this: they use the MCP
            endpoint, and find out the rest.
          </p>
          <p>
            <a href="/openapi.json">The same as OpenAPI 3.1</a>, for programs that make clients and tests of it.
          </p>
        </div>
        <nav class="toc" aria-label="Operations">
          {groups.map((group) => (
            <div>
              <p class="label">
                <a href={`#${idOf(group)}`}>{group}</a>
              </p>
              <ul>
                {ofGroup(group).map(({ operation }) => (
                  <li>
                    <a href={`#${operation.id}`}>{operation.summary}</a>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
        <Access scopes={scopes} />
        {groups.map((group) => (
          <section class="stack" aria-labelledby={idOf(group)}>
            <div class="stack tight">
              <h2 id={idOf(group)}>{group}</h2>
              <p>{GROUP_DESCRIPTIONS[group]}</p>
            </div>
            {ofGroup(group).map((endpoint) => (
              <Operation endpoint={endpoint} />
            ))}
          </section>
        ))}
        <section class="stack" aria-labelledby="schemas">
          <h2 id="schemas">What the bodies hold</h2>
          {Object.entries(schemas).map(([name, schema]) => (
            <div class="card stack tight">
              <h3 id={`schema-${name}`}>{name}</h3>
              {schema.description !== undefined && (
                <p>
                  <Prose text={schema.description} />
                </p>
              )}
              <Fields schema={schema} />
            </div>
          ))}
        </section>
      </div>
    </Page>
  );
}

function idOf(group: string): string {
  return `group-${group.toLowerCase().replaceAll(' ', '-')}`;
}

function Access({ scopes }: { readonly scopes: readonly Scope[] }) {
  return (
    <section class="stack" aria-labelledby="access">
      <h2 id="access">Access</h2>
      <p>
        Most of it needs an access token, as <code>Authorization: Bearer …</code>; the examples take it from the
        variable <code>TOKEN</code>. A client gets one through <a href="#group-connecting">OAuth</a>, and a person says
        which of these scopes it has:
      </p>
      <Facts>
        {scopes.map(({ name, sentence }) => (
          <Fact term={<code>{name}</code>}>{sentence}</Fact>
        ))}
      </Facts>
      <div class="stack tight">
        <h3 id="errors">Refusals</h3>
        <p>
          An error is a <a href="#schema-Problem">Problem</a>, of the type <code>application/problem+json</code>, except
          where OAuth or MCP has words for it. Programs look at <code>code</code>, people and models read{' '}
          <code>detail</code>.
        </p>
      </div>
      <Facts>
        <Fact term={<code>400</code>}>The input does not fit, and why.</Fact>
        <Fact term={<code>401</code>}>
          No access token, or one that has ended. There is no body; <code>WWW-Authenticate</code> says where to sign in.
        </Fact>
        <Fact term={<code>403</code>}>
          The token lacks the scope that <code>WWW-Authenticate</code> names. The body is an{' '}
          <a href="#schema-OAuthError">OAuthError</a>.
        </Fact>
        <Fact term={<code>413</code>}>
          The body is too large: a file over the limit of this deployment, or 1 MB of anything else.
        </Fact>
      </Facts>
    </section>
  );
}

function Operation({ endpoint }: { readonly endpoint: DescribedEndpoint }) {
  const { method, path, operation, scopes, parameters, body, answers } = endpoint;
  return (
    <article class="card stack" aria-labelledby={operation.id}>
      <div class="stack tight">
        <h3 id={operation.id}>{operation.summary}</h3>
        <p class="route">
          <span class="method">{method}</span> <code class="select">{path}</code>
        </p>
      </div>
      {operation.description.split('\n\n').map((paragraph) => (
        <p>
          <Prose text={paragraph} />
        </p>
      ))}
      <p class="muted small">{scopes ? <Needs scopes={scopes} /> : 'No access token.'}</p>
      {parameters.length > 0 && (
        <div class="stack tight">
          <h4>Parameters</h4>
          <Facts>
            {parameters.map((parameter) => (
              <ParameterFact parameter={parameter} />
            ))}
          </Facts>
        </div>
      )}
      {body.length > 0 && (
        <div class="stack tight">
          <h4>Body</h4>
          <Facts>
            {body.map((content) => (
              <Fact term={<code>{mediaName(content)}</code>}>
                <ContentType content={content} />
              </Fact>
            ))}
          </Facts>
        </div>
      )}
      <div class="stack tight">
        <h4>Answers</h4>
        <Facts>
          {answers
            .filter(({ isShared }) => !isShared)
            .map((answer) => (
              <AnswerFact answer={answer} />
            ))}
        </Facts>
        <p class="muted small">
          Besides: <a href="#errors">what all refuse</a>
          {answers
            .filter(({ isShared, status }) => isShared && status !== undefined)
            .map(({ status }, at) => `${at === 0 ? ', with ' : ', '}${status}`)}
          .
        </p>
      </div>
      <div class="stack tight">
        <h4>Examples</h4>
        <div class="folds flat">
          {Object.values(operation.examples).map((example) => (
            <ExampleFold endpoint={endpoint} example={example} />
          ))}
        </div>
      </div>
    </article>
  );
}

function Needs({ scopes }: { readonly scopes: readonly string[] }) {
  if (scopes.length === 0) return <>Needs an access token, and each tool the scope of its own.</>;
  return (
    <>
      Needs an access token with <code>{scopes.join(' ')}</code>.
    </>
  );
}

function ParameterFact({ parameter: { name, in: place, required, description, schema } }: { parameter: Parameter }) {
  const where = { path: 'in the path', query: 'in the query', header: 'header' }[place];
  return (
    <Fact
      term={
        <>
          <code>{name}</code> {where}, <TypeOf schema={schema} />
          {required && ', required'}
        </>
      }
    >
      <Prose text={description} />
    </Fact>
  );
}

function AnswerFact({ answer: { status, description, content, headers } }: { readonly answer: DescribedAnswer }) {
  return (
    <Fact term={<code>{status}</code>}>
      <p>
        <Prose text={description} />
      </p>
      {content.map((each) => (
        <p class="small">
          <code>{mediaName(each)}</code>: <ContentType content={each} />
        </p>
      ))}
      {Object.entries(headers).map(([name, meaning]) => (
        <p class="small">
          <code>{name}</code>: <Prose text={meaning} />
        </p>
      ))}
    </Fact>
  );
}

function mediaName({ mediaType }: Content): string {
  return mediaType === '*/*' ? 'any type' : mediaType;
}

function ContentType({ content: { schema } }: { readonly content: Content }) {
  return schema ? <TypeOf schema={schema} /> : <>the bytes of the file</>;
}

function ExampleFold({ endpoint, example }: { readonly endpoint: DescribedEndpoint; readonly example: Example }) {
  const { status, json, text } = example.answer;
  const body = json === undefined ? text : JSON.stringify(json, undefined, 2);
  return (
    <details>
      <summary>{example.summary}</summary>
      <div class="inside stack tight">
        <CopyLine text={curlCommand(endpoint, example)} />
        <p class="muted small">
          answers {status}
          {body === undefined && ', without a body'}
        </p>
        {body !== undefined && <pre class="copy plain">{body.trimEnd()}</pre>}
      </div>
    </details>
  );
}
