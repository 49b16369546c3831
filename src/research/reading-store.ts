import { ResearchStore } from './base.ts';
import type { Reading } from './model.ts';

/**
 * Reads documents, in the person's own object: a hostile one costs the time and the memory of whoever added it. The
 * readers keep to their limits by themselves; one that a document keeps from that takes this object down, no other.
 */
export class ReadingStore extends ResearchStore {
  /**
   * @param type media type, with its parameters
   * @param url where a page came from: its relative addresses are resolved against it
   * @returns why there is no text, where there is none
   */
  async read(bytes: Uint8Array, type: string, url: string): Promise<Reading | { readonly reason: string }> {
    // What reads pages and PDF is loaded when there is something to read.
    const { readDocument } = await import('./read-document.ts');
    return readDocument(bytes, type, url);
  }
}
