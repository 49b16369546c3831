import { way } from '../../http/endpoint.ts';
import { html } from '../../http/html.ts';
import type { HttpContext, Route } from '../../http/route.ts';
import { DropPage } from './pages.tsx';
import { DROP_SCRIPT, DROP_SCRIPT_PATH } from './script.ts';
import { droppedFile } from './service.ts';
import type { DropService } from './service.ts';

/** The page on which files are dropped, and what its script asks. */
export function dropRoutes(drop: DropService): Route[] {
  const expect = way({
    json: droppedFile,
    handle: async ({ params, origin }: HttpContext, { json }) => {
      const { path, parts } = await drop.expect(params['address'] ?? '', json);
      const more = parts ? { parts: parts.count, part_size: parts.size } : {};
      return Response.json({ url: `${origin}${path}`, ...more }, { headers: { 'Cache-Control': 'no-store' } });
    },
  });
  return [
    {
      path: '/drop/:address',
      methods: {
        GET: async ({ params }) => {
          const { session, folder, expiresAt } = await drop.place(params['address'] ?? '');
          return html(<DropPage session={session.title} folder={folder} expiresAt={expiresAt} />, { script: true });
        },
        POST: expect.handle,
      },
    },
    {
      path: DROP_SCRIPT_PATH,
      methods: {
        GET: () =>
          new Response(DROP_SCRIPT, {
            headers: {
              'Content-Type': 'text/javascript; charset=utf-8',
              'Cache-Control': 'public, max-age=31536000, immutable',
            },
          }),
      },
    },
  ];
}
