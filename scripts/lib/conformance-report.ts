import { SCORED } from '../../test/conformance/expected.ts';
import { isExpected, PARTS, PROVIDERS } from './conformance.ts';
import type { ConformanceReport, Outcome } from './conformance.ts';
import { COLUMNS, faint, heading, MARKS, pad, strong, wrap } from './terminal.ts';

const REVISIONS = PARTS.filter((part) => part !== 'authorization');
const NAME_COLUMNS = 47;
const CELL_COLUMNS = 14;
/** The names of the authorization server's checks are shorter, and there are more columns beside them. */
const CHECK_COLUMNS = 38;
const PROVIDER_COLUMNS = 10;

/** Where a scenario was run. */
const placeOf = ({ part, provider }: Outcome): string =>
  provider === undefined ? part : `${part}, signed in with ${provider}`;

/** How it came out, and how many of its checks that is. */
function cell(outcome: Outcome | undefined): string {
  if (!outcome) return '';
  const { verdict, exception, held, faults, warnings } = outcome;
  if (verdict === 'failed')
    return exception
      ? `${MARKS.warning()} cannot`
      : `${MARKS.fault()} ${faults.length} ${faults.length === 1 ? 'fails' : 'fail'}`;
  if (exception) return `${MARKS.fault()} passes`;
  const more = warnings.length === 0 ? '' : `, ${warnings.length} hint${warnings.length === 1 ? '' : 's'}`;
  return `${MARKS.done()} ${faint(`${held}${more}`)}`;
}

function table(outcomes: readonly Outcome[]): string[] {
  const names = [...new Set(outcomes.filter(({ part }) => part !== 'authorization').map(({ name }) => name))];
  const row = (name: string, cells: readonly string[]) =>
    `  ${pad(name, NAME_COLUMNS)}${cells.map((text) => pad(text, CELL_COLUMNS)).join('')}`.trimEnd();
  return [
    row(faint('scenario'), REVISIONS.map(faint)),
    ...names.map((name) =>
      row(
        name,
        REVISIONS.map((part) => cell(outcomes.find((each) => each.part === part && each.name === name))),
      ),
    ),
  ];
}

/** The checks of the authorization server, with a column for each way to sign in. */
function authorizationTable(outcomes: readonly Outcome[]): string[] {
  const own = outcomes.filter(({ part }) => part === 'authorization');
  const row = (name: string, cells: readonly string[]) =>
    `  ${pad(name, CHECK_COLUMNS)}${cells.map((text) => pad(text, PROVIDER_COLUMNS)).join('')}`.trimEnd();
  return [
    row(faint('authorization server, signed in with'), PROVIDERS.map(faint)),
    ...[...new Set(own.map(({ name }) => name))].map((name) =>
      row(
        name,
        PROVIDERS.map((provider) => cell(own.find((each) => each.provider === provider && each.name === name))),
      ),
    ),
  ];
}

const indented = (text: string): string[] => wrap(text, COLUMNS - 6).map((line) => `      ${faint(line)}`);

/** Each scenario that did not pass, or passed although it cannot, and why. */
function reasons(outcomes: readonly Outcome[]): string[] {
  const failed = outcomes.filter((each) => !isExpected(each));
  const lines = failed.flatMap((each) => [
    `    ${MARKS.fault()} ${strong(each.name)}  ${faint(placeOf(each))}`,
    ...(each.exception ? ['It passes: take it from the exceptions.'] : each.faults).flatMap(indented),
  ]);
  const known = outcomes.filter((each) => isExpected(each) && each.exception);
  // Several for one reason are told at once.
  for (const reason of new Set(known.map(({ exception }) => exception ?? ''))) {
    const same = known.filter(({ exception }) => exception === reason);
    lines.push(...same.map((each) => `    ${MARKS.warning()} ${strong(each.name)}  ${faint(placeOf(each))}`));
    lines.push(...indented(reason));
  }
  return lines.length === 0 ? [] : [heading('What does not pass').slice(1), ...lines, ''];
}

function hints(outcomes: readonly Outcome[]): string[] {
  const lines = outcomes.flatMap((each) =>
    each.warnings.length === 0
      ? []
      : [
          `    ${MARKS.same()} ${each.name}  ${faint(placeOf(each))}`,
          ...each.warnings.flatMap((warning) => indented(warning)),
        ],
  );
  return lines.length === 0 ? [] : [heading('Hints', 'recommendations that are not followed').slice(1), ...lines, ''];
}

function beside({ unscored }: ConformanceReport): string[] {
  const names = [...new Set(unscored.map(({ name }) => name))].map((name) => {
    const passed = unscored.filter((each) => each.name === name).every((each) => each.passed);
    return `${name} ${passed ? 'passes' : 'does not'}`;
  });
  return names.length === 0 ? [] : [...indented(`Run, but not scored: ${names.join(', ')}.`), ''];
}

function sums(outcomes: readonly Outcome[]): string[] {
  return PARTS.map((part) => {
    const own = outcomes.filter((each) => each.part === part);
    const passed = own.filter(({ verdict }) => verdict === 'passed').length;
    const known = own.filter((each) => isExpected(each) && each.exception).length;
    const mark = own.every(isExpected) ? MARKS.done() : MARKS.fault();
    const note = known === 0 ? '' : `  ${faint(`${known} cannot, for the reason above`)}`;
    const all = SCORED[part] * (part === 'authorization' ? PROVIDERS.length : 1);
    return `  ${mark} ${pad(strong(part), 16)}${passed} of ${all}${note}`;
  });
}

/** The whole report, laid out for a terminal. */
export function renderConformance(report: ConformanceReport): string {
  const { outcomes } = report;
  return [
    '',
    ...table(outcomes),
    '',
    ...authorizationTable(outcomes),
    '',
    ...reasons(outcomes),
    ...hints(outcomes),
    ...beside(report),
    ...sums(outcomes),
    '',
  ].join('\n');
}
