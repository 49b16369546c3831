import { Card, Fact, Facts, Untrusted, When } from '../../console/components.tsx';
import { Page } from '../../console/layout.tsx';
import { DROP_SCRIPT_PATH } from './script.ts';

interface DropPageProps {
  readonly session: string;
  /** Empty for none. */
  readonly folder: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** Where a person drops files for an assistant. */
export function DropPage({ session, folder, expiresAt }: DropPageProps) {
  return (
    <Page title="Add files">
      <Card>
        <div class="stack tight">
          <h1>Add files</h1>
          <p>They go into the workspace of whoever gave you this page, and their assistant is told.</p>
        </div>
        <Facts>
          <Fact term="They go to">
            {'The session '}
            <Untrusted>{session}</Untrusted>
            {folder !== '' && (
              <>
                {', in '}
                <Untrusted>{folder}</Untrusted>
              </>
            )}
          </Fact>
          <Fact term="This page takes files until">
            <When at={expiresAt} />
          </Fact>
        </Facts>
        <div class="drop stack tight" data-drop hidden>
          <label class="label" for="files">
            Drop files here, or choose them
          </label>
          <input id="files" name="files" type="file" multiple />
        </div>
        <ul class="items" data-list hidden></ul>
        <p class="small" role="status" data-summary></p>
        <noscript>
          <p class="problem">This page needs JavaScript: switch it on for this address.</p>
        </noscript>
        <script type="module" src={DROP_SCRIPT_PATH}></script>
      </Card>
    </Page>
  );
}
