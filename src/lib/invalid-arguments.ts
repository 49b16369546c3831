import type * as z from 'zod';

import { CarrelError } from './errors.ts';

/**
 * What a failed parse says to the caller: each wrong argument with what is wrong and never what was
 * sent, and the arguments that there are where one was missed or invented.
 *
 * @param known names of the tool's arguments
 */
export function invalidArguments(error: z.ZodError, input: unknown, known: readonly string[]): CarrelError {
  const faults = error.issues.slice(0, 10).map((issue) => fault(issue, input));
  const misnamed = error.issues.some((issue) => issue.code === 'unrecognized_keys' || isMissing(issue, input));
  const names = misnamed && known.length > 0 ? ` Arguments: ${known.map((name) => `\`${name}\``).join(', ')}.` : '';
  return new CarrelError('invalid_input', `The arguments do not fit: ${faults.join('; ')}.${names}`);
}

/** What a caller calls its arguments may have any length, and the answer has not. */
const MAX_NAME_LENGTH = 100;

const quoted = (name: string) => `\`${name.slice(0, MAX_NAME_LENGTH)}\``;

function fault(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'unrecognized_keys')
    return `there is no argument ${issue.keys.slice(0, 5).map(quoted).join(', ')}`;
  const where = issue.path.map(String).join('.').slice(0, MAX_NAME_LENGTH);
  if (where === '') return issue.message;
  return `\`${where}\` ${isMissing(issue, input) ? 'is missing' : issue.message.replace(/^Invalid/, 'is an invalid')}`;
}

/** Whether it is about an argument that was not given at all. */
function isMissing(issue: z.core.$ZodIssue, input: unknown): boolean {
  const [name, ...deeper] = issue.path;
  if (typeof input !== 'object' || input === null || typeof name !== 'string' || deeper.length > 0) return false;
  return (input as Record<string, unknown>)[name] === undefined;
}
