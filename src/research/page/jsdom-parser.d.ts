/** It comes without types; what of it is used is described in dom.ts. */
declare module '@mozilla/readability/JSDOMParser.js' {
  export default class JSDOMParser {
    /** Takes well-formed markup only. */
    parse(html: string, url: string): unknown;
  }
}
