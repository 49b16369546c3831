/** What a run must come to. The requirement sets of the suite are frozen; a suite that scores another number is another suite. */
export const SCORED = { '2026-07-28': 37, '2025-11-25': 30, authorization: 3 } as const;

/** A part of the run: the requirement set of a revision, or the checks of the authorization server. */
export type Part = keyof typeof SCORED;

/** Scenarios of extensions that pass and must go on passing. `tasks-status-notifications` checks nothing yet. */
export const EXTENSIONS: readonly string[] = [
  'tasks-lifecycle',
  'tasks-capability-negotiation',
  'tasks-wire-fields',
  'tasks-request-state-removal',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-dispatch-and-envelope',
  'tasks-required-task-error',
  'tasks-mrtr-composition',
];

const PUSHES =
  'It wants a request that the server pushes to the client while a tool runs. That takes a session, which a stateless ' +
  'endpoint has not; in the 2026 era such a tool answers input_required, and passes.';

/**
 * What cannot pass, and why. A run with another failure fails, and so does one in which these pass: then
 * they must go from here.
 */
export const EXCEPTIONS: Readonly<Record<Part, Readonly<Record<string, string>>>> = {
  '2026-07-28': {},
  '2025-11-25': {
    'tools-call-sampling': PUSHES,
    'tools-call-elicitation': PUSHES,
    'elicitation-sep1034-defaults': PUSHES,
    'elicitation-sep1330-enums': PUSHES,
  },
  authorization: {},
};
