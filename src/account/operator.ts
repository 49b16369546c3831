import * as z from 'zod';

import type { Keyring } from '../lib/keyring.ts';

/** Where the commands of the operator go. */
export const OPERATOR_PATH = '/operator';
/** The header with the signature. */
export const OPERATOR_HEADER = 'Carrel-Operator';

/** How far the clocks of the two may be apart, and how long a request can be sent again, in ms. */
const CLOCK_MS = 300_000;

/** What the operator can ask for that D1 alone cannot do: the person's own object has to hear of it. */
export const operatorCommand = z.discriminatedUnion('command', [
  z.object({ command: z.enum(['inspect', 'disable', 'enable', 'delete']), person: z.string().max(100) }),
  z.object({ command: z.literal('list_workspaces') }),
  z.object({
    command: z.literal('compare_files'),
    workspace: z.string().regex(/^\w{1,100}$/),
    mend: z.boolean(),
    /** How old an orphan must be. */
    hours: z.number().min(0).max(100_000),
  }),
]);
export type OperatorCommand = z.output<typeof operatorCommand>;

/**
 * Tells the operator, who has the secret of the deployment, from everybody else. Signed is the whole
 * request, with the deployment that it is for and the time. Whoever has the secret can sign addresses
 * and the owner's code as well: this gives nobody more than they had.
 */
export class OperatorSignature {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** @returns the value of the header */
  async sign(origin: string, body: string, now: number): Promise<string> {
    return `${now}.${await this.#keyring.sign('operator', `${origin}\n${now}\n${body}`)}`;
  }

  async verify(origin: string, body: string, header: string | null, now: number): Promise<boolean> {
    const [at = '', signature = ''] = header?.split('.', 2) ?? [];
    if (!/^\d{1,15}$/.test(at) || Math.abs(Number(at) - now) > CLOCK_MS) return false;
    return this.#keyring.verify('operator', `${origin}\n${at}\n${body}`, signature);
  }
}
