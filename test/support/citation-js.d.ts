declare module '@citation-js/core' {
  interface CslName {
    readonly family?: string;
    readonly given?: string;
    readonly literal?: string;
    readonly suffix?: string;
    readonly 'non-dropping-particle'?: string;
  }
  export class Cite {
    constructor(text: string, options?: { forceType?: string });
    readonly data: readonly {
      readonly id: string;
      readonly type: string;
      readonly title?: string;
      readonly author?: readonly CslName[];
      readonly issued?: { readonly 'date-parts': readonly (readonly number[])[] };
      readonly URL?: string;
      readonly DOI?: string;
    }[];
  }
}
declare module '@citation-js/plugin-bibtex';
declare module '@citation-js/plugin-ris';
