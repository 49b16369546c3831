import { MAX_IN_PARTS_BYTES } from '../model.ts';

/** Headers of every answer (tus, Core): programs ask with OPTIONS what is there, and browsers ask first in any case. */
export const DISCOVERY = {
  'Tus-Resumable': '1.0.0',
  'Tus-Version': '1.0.0',
  'Tus-Extension': 'creation,creation-with-upload,expiration,checksum,termination',
  'Tus-Checksum-Algorithm': 'sha1,sha256,md5',
  'Tus-Max-Size': String(MAX_IN_PARTS_BYTES),
};
