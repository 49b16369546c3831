/** A file as its text, which Vite reads where a test cannot: in workerd there is no file system. */
declare module '*.md?raw' {
  const text: string;
  export default text;
}
