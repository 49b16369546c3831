/**
 * What bytes cost at the least: a Worker that pipes them into the bucket and out of it, without looking at them,
 * without a token and without an index. `npm run bench:files` measures ours against it.
 */
const worker = {
  async fetch(request, { FILES }): Promise<Response> {
    const key = new URL(request.url).pathname;
    if (request.method === 'PUT') {
      await FILES.put(key, request.body);
      return new Response(null, { status: 201 });
    }
    const object = await FILES.get(key);
    return new Response(object?.body ?? null, { status: object ? 200 : 404 });
  },
} satisfies ExportedHandler<{ readonly FILES: R2Bucket }>;

// oxlint-disable-next-line import/no-default-export -- workerd finds a Worker by its default export
export default worker;
