import type { ContentBlock } from '@modelcontextprotocol/server';

/**
 * What content costs its reader, in characters of the output budget. The bytes of images and audio are
 * looked at and not read: of them only a thousandth counts, which bounds them too.
 */
export function contentCost(content: readonly ContentBlock[]): number {
  let cost = 0;
  for (const block of content) {
    if (block.type !== 'image' && block.type !== 'audio') cost += JSON.stringify(block).length;
    else cost += 100 + block.data.length / 50;
  }
  return cost;
}
