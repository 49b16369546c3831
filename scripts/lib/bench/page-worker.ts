/** A Worker that reads the page which is posted to it, and loads what reads it only then. */
const worker = {
  async fetch(request): Promise<Response> {
    if (request.method !== 'POST') return new Response('ready\n');
    const { readPage } = await import('../../../src/research/page/read-page.ts');
    const bytes = new Uint8Array(await request.arrayBuffer());
    const type = request.headers.get('Content-Type') ?? '';
    return Response.json(await readPage({ bytes, type, url: 'http://fakehost/test/page.html' }));
  },
} satisfies ExportedHandler;

// oxlint-disable-next-line import/no-default-export -- workerd finds a Worker by its default export
export default worker;
