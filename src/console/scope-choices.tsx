import { Button, CheckboxRow } from './components.tsx';

/** One permission that the client asked for, in plain words. */
export interface ScopeChoice {
  readonly name: string;
  readonly title: string;
  readonly sentence: string;
  readonly checked: boolean;
}

interface ScopeChoicesProps {
  readonly scopes: readonly ScopeChoice[];
  /** What was wrong with the last answer. */
  readonly error?: string | undefined;
}

/** What the app may do, each with a tick that a person can take away. */
export function ScopeChoices({ scopes, error }: ScopeChoicesProps) {
  return (
    <fieldset class="checks" aria-describedby="scope-hint">
      <legend>What it may do</legend>
      {error === undefined ? (
        <p class="muted small" id="scope-hint">
          Untick anything that it should not do.
        </p>
      ) : (
        <p class="problem" id="scope-hint" role="alert">
          {error}
        </p>
      )}
      {scopes.map(({ name, title, sentence, checked }, at) => (
        <CheckboxRow
          id={`scope-${name}`}
          name="scope"
          value={name}
          label={title}
          hint={sentence}
          checked={checked}
          // On a phone the error would otherwise stand below what is in view when the page comes back.
          autofocus={error !== undefined && at === 0}
        />
      ))}
    </fieldset>
  );
}

/** Deny comes first because the first button is what Enter presses. */
export function DecisionButtons() {
  return (
    <div class="choices">
      <Button variant="secondary" name="decision" value="deny">
        Deny
      </Button>
      <Button name="decision" value="approve">
        Allow
      </Button>
    </div>
  );
}
