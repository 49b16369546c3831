import type { Child } from 'hono/jsx';

/** A surface that holds one task or one message. */
export function Card({ children }: { readonly children: Child }) {
  return <div class="card stack">{children}</div>;
}

/** Text from outside, such as a client's name: it wraps anywhere and cannot reorder what stands around it. */
export function Untrusted({ children }: { readonly children: Child }) {
  return <bdi class="untrusted">{children}</bdi>;
}

interface ButtonProps {
  readonly variant?: 'primary' | 'secondary' | 'quiet';
  /** As wide as what it stands in. */
  readonly full?: boolean;
  readonly name?: string;
  readonly value?: string;
  readonly children: Child;
}

/** Submits the form that it stands in. */
export function Button({ variant = 'primary', full = false, name, value, children }: ButtonProps) {
  return (
    <button class={`button ${variant}${full ? ' full' : ''}`} type="submit" name={name} value={value}>
      {children}
    </button>
  );
}

interface ButtonLinkProps {
  readonly href: string;
  /** As wide as what it stands in. */
  readonly full?: boolean;
  readonly children: Child;
}

/** A link that looks like a button, for going somewhere rather than for changing something. */
export function ButtonLink({ href, full = false, children }: ButtonLinkProps) {
  return (
    <a class={full ? 'button secondary full' : 'button secondary'} href={href}>
      {children}
    </a>
  );
}

/** Hidden inputs, one for each entry. */
export function HiddenFields({ values }: { readonly values: Readonly<Record<string, string>> }) {
  return (
    <>
      {Object.entries(values).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    </>
  );
}

interface FieldProps {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'email' | 'password' | 'number' | 'search';
  readonly value?: string | undefined;
  readonly autocomplete?: string;
  readonly required?: boolean;
  readonly autofocus?: boolean;
  /** Of a number. */
  readonly min?: number;
  readonly max?: number;
  readonly hint?: Child;
  /** What is wrong with the value and how to mend it. */
  readonly error?: string | undefined;
}

/** A labelled input. Its hint and its error are read out together with it. */
export function Field({ id, label, type = 'text', hint, error, ...input }: FieldProps) {
  const described = [error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`].filter(Boolean);
  return (
    <div class="stack tight">
      <label class="label" for={id}>
        {label}
      </label>
      {error !== undefined && (
        <p class="problem" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
      <input
        class="input"
        id={id}
        type={type}
        aria-invalid={error === undefined ? undefined : 'true'}
        aria-describedby={described.length === 0 ? undefined : described.join(' ')}
        {...input}
      />
      {hint !== undefined && (
        <p class="muted small" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface SelectProps {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly value?: string | undefined;
  /** Says the label to a screen reader alone, where what stands around says it to the others. */
  readonly quiet?: boolean;
}

/** A labelled choice of one. */
export function Select({ id, name, label, options, value, quiet = false }: SelectProps) {
  return (
    <div class="stack tight">
      <label class={quiet ? 'unseen' : 'label'} for={id}>
        {label}
      </label>
      <select class="input" id={id} name={name}>
        {options.map((option) => (
          <option value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}

interface CheckboxRowProps {
  readonly id: string;
  readonly name: string;
  readonly value: string;
  readonly label: Child;
  readonly hint?: Child;
  readonly checked?: boolean;
  readonly autofocus?: boolean;
}

/** A checkbox with its label and, beneath it, what ticking it means. */
export function CheckboxRow({ id, label, hint, ...input }: CheckboxRowProps) {
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div class="check">
      <input id={id} type="checkbox" aria-describedby={hintId} {...input} />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint muted small" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface NoticeProps {
  readonly tone?: 'info' | 'warning' | 'error';
  readonly title?: string;
  readonly children: Child;
}

/** Something to know before going on. An error interrupts a screen reader; the others wait to be read. */
export function Notice({ tone = 'info', title, children }: NoticeProps) {
  return (
    <div class={`notice ${tone}`} role={tone === 'error' ? 'alert' : 'note'}>
      <svg
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        aria-hidden="true"
      >
        <circle cx="10" cy="10" r="8" />
        <path d={tone === 'info' ? 'M10 9.3v4.5M10 6.2v.1' : 'M10 5.8v5M10 13.9v.1'} />
      </svg>
      <div>
        {title !== undefined && (
          <p>
            <strong>{title}</strong>
          </p>
        )}
        {children}
      </div>
    </div>
  );
}

/** A moment, to the minute and in UTC: pages run no script that would know the reader's own time. */
export function When({ at }: { readonly at: number }) {
  const iso = new Date(at).toISOString();
  return <time datetime={iso}>{`${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`}</time>;
}

/** A list of {@link Item}s. */
export function Items({ children }: { readonly children: Child }) {
  return <ul class="items">{children}</ul>;
}

interface ItemProps {
  readonly title: Child;
  /** Beneath the title. */
  readonly note?: Child;
  /** What can be done with it: forms. */
  readonly children?: Child;
}

/** One thing of several, with what is known of it and what can be done with it. */
export function Item({ title, note, children }: ItemProps) {
  return (
    <li>
      <div class="about">
        <div class="name">{title}</div>
        {note !== undefined && <div class="muted small">{note}</div>}
      </div>
      {children !== undefined && <div class="row">{children}</div>}
    </li>
  );
}

/** A word about a thing, such as a role. */
export function Badge({
  children,
  tone = 'plain',
}: {
  readonly children: Child;
  readonly tone?: 'plain' | 'doubtful';
}) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** A list of {@link Fact}s. */
export function Facts({ children }: { readonly children: Child }) {
  return <dl class="facts">{children}</dl>;
}

/** One term and what is known about it. */
export function Fact({ term, children }: { readonly term: Child; readonly children: Child }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A line or block to copy: one click selects all of it. `chief` is for the one that a page is about. */
export function CopyLine({ text, chief = false }: { readonly text: string; readonly chief?: boolean }) {
  return <code class={chief ? 'copy chief' : 'copy'}>{text}</code>;
}

/** Prose in which `backticks` mark code, as in the configuration's own words for its faults. */
export function Prose({ text }: { readonly text: string }) {
  return <>{text.split('`').map((part, at) => (at % 2 === 1 ? <code>{part}</code> : part))}</>;
}

/** What to quote when asking for help: it finds this very request in the log. */
export function RequestId({ id }: { readonly id: string }) {
  return (
    <p class="muted small">
      Request id: <code class="select">{id}</code>
    </p>
  );
}
