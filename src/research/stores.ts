import { DeskStore } from './desk-store.ts';
import { NoteStore } from './note-store.ts';
import { QuoteStore } from './quote-store.ts';
import { ReadingStore } from './reading-store.ts';
import { ReportStore } from './report-store.ts';
import { SearchStore } from './search-store.ts';
import { SourceStore } from './source-store.ts';

/** The stores of research, which are loaded with the first call of one. */
export const RESEARCH_STORES = {
  desks: DeskStore,
  sources: SourceStore,
  readings: ReadingStore,
  quotes: QuoteStore,
  notes: NoteStore,
  reports: ReportStore,
  findings: SearchStore,
};
