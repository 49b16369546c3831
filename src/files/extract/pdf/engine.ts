import type { getResolvedPDFJS } from 'unpdf';

import { reachCore } from './core.ts';
import { limitPdf } from './limits.ts';
import { attachMeter, detachMeter } from './meter.ts';
import type { PdfMeter } from './meter.ts';
import { DirectPort } from './port.ts';
import { pdfProbe } from './probe.ts';

type Pdfjs = Awaited<ReturnType<typeof getResolvedPDFJS>>;
type LoadingTask = ReturnType<Pdfjs['getDocument']>;

/** A document that pdf.js reads, within the limits of a meter. */
export interface OpenPdf {
  readonly document: LoadingTask['promise'];
  /** Ends what is still going on. Nothing is counted for the document afterwards. */
  readonly close: () => Promise<void>;
}

/** The half of pdf.js that reads files, which it keeps apart for a thread of its own. */
interface CoreHalf {
  readonly pdfjsWorker?: { readonly WorkerMessageHandler: { initializeFromPort(port: DirectPort): void } };
}

/** Set when pdf.js has its limits. No promise is kept: one request must not wait for the work of another. */
let limited: Pdfjs | undefined;

/** pdf.js with limits. @throws Error when it is not as the limits expect it */
export async function loadPdfjs(): Promise<Pdfjs> {
  if (limited) return limited;
  const { getResolvedPDFJS: resolve } = await import('unpdf');
  const pdfjs = await resolve();
  const probe = connect(pdfjs, pdfProbe(), false);
  try {
    const document = await probe.task.promise;
    const page = await document.getPage(1);
    const annotations = (await page.getAnnotations()) as { readonly state?: unknown }[];
    const core = await reachCore(annotations.map(({ state }) => state));
    // Another request may have come here as well, and have been faster.
    if (!limited) limitPdf(core);
    limited = pdfjs;
    return pdfjs;
  } finally {
    await probe.close();
  }
}

/** @param bytes are read while the document is open, and not changed */
export function openPdf(pdfjs: Pdfjs, bytes: Uint8Array, meter: PdfMeter): OpenPdf {
  const { task, close } = connect(pdfjs, bytes, true);
  attachMeter(task.docId, meter);
  return {
    document: task.promise,
    close: async () => {
      try {
        await close();
      } finally {
        detachMeter(task.docId);
      }
    },
  };
}

function connect(pdfjs: Pdfjs, data: Uint8Array, copies: boolean): { task: LoadingTask; close: () => Promise<void> } {
  const core = (globalThis as CoreHalf).pdfjsWorker?.WorkerMessageHandler;
  if (!core) throw new Error('pdf.js has no core');
  const [ours, theirs] = DirectPort.pair(copies);
  core.initializeFromPort(theirs);
  const worker = pdfjs.PDFWorker.create({ port: ours, verbosity: pdfjs.VerbosityLevel.ERRORS });
  const task = pdfjs.getDocument({
    data,
    worker,
    verbosity: pdfjs.VerbosityLevel.ERRORS,
    // Text needs no pictures, no shapes of letters, and nothing from the network.
    maxImageSize: 0,
    disableFontFace: true,
    useSystemFonts: true,
    useWasm: false,
    useWorkerFetch: false,
    isOffscreenCanvasSupported: false,
    isImageDecoderSupported: false,
  });
  return {
    task,
    close: async () => {
      try {
        await task.destroy();
      } finally {
        worker.destroy();
        ours.close();
        theirs.close();
      }
    },
  };
}
