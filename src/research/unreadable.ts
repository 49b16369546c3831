import { CarrelError } from '../lib/errors.ts';

/** Why nothing can be read, by the word of the readers. */
const WHY: Readonly<Record<string, string>> = {
  no_text: 'It has no text: it may be made of images',
  needs_script: 'The page is empty until its scripts run, and nothing runs them here. Paste its text instead',
  encrypted: 'It opens with a password only',
  unsupported: 'Nobody here reads documents of this type',
  malformed: 'It is not what its type says, or is broken',
  too_large: 'It has more than is read here',
  too_slow: 'Reading it takes too long',
};

/** What a caller is told of a document without text. It was not stored. */
export function unreadable(reason: string): CarrelError {
  return new CarrelError('unsupported', `${WHY[reason] ?? 'It could not be read'}. Nothing was stored.`, {
    details: { reason },
  });
}
