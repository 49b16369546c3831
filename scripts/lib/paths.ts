import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stop } from './terminal.ts';

/** The checkout that these scripts belong to: where wrangler.toml is. */
export const ROOT = resolve(import.meta.dirname, '../..');

/**
 * Wrangler's own entry, without the launcher in front of it: a signal and the IPC channel then reach
 * the process that owns workerd.
 *
 * @throws Stop if the dependencies are not installed
 */
export function wranglerEntry(): string {
  try {
    return fileURLToPath(import.meta.resolve('wrangler'));
  } catch {
    throw new Stop('The dependencies are not installed. Run npm ci and try again.');
  }
}
