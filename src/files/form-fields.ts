import * as z from 'zod';

import { filePath, folderPath, IF_EXISTS, sha256 } from './model.ts';

/** Fields of a form with files: each is for the files behind it, path and sha256 for the next one alone. */
export const formFields = z
  .strictObject({
    session: z.string().optional().describe('Id or slug; without one, the session `default`'),
    folder: folderPath.default('').describe('For files without a path: they bear their own names there'),
    path: filePath.optional().describe('Of the next file'),
    sha256: sha256.optional().describe('Of the next file'),
    if_exists: z.enum(IF_EXISTS).optional(),
    file: z.string().meta({ contentMediaType: 'application/octet-stream' }).optional(),
  })
  .meta({ id: 'FileForm', description: 'Files with what is to become of them. Fields stand before the files.' });
