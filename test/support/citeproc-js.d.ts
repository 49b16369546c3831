declare module 'citeproc' {
  interface Engine {
    updateItems(ids: string[]): void;
    setOutputFormat(format: 'html' | 'text'): void;
    makeCitationCluster(cites: object[]): string;
    makeBibliography(): [{ entry_ids: string[][] }, string[]];
  }
  const CSL: { Engine: new (system: object, style: object, locale: string, force: boolean) => Engine };
  export default CSL;
}
