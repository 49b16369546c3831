/** Of a report in HTML: to read on any screen, by day and by night, and to print. */
export const STYLESHEET = `
:root { color-scheme: light dark; --text: #1c1c1c; --faint: #595959; --line: #d0d0d0; --paper: #fff; --code: #f4f4f2; --link: #0b57a4 }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --faint: #a8a8a8; --line: #444; --paper: #161616; --code: #242424; --link: #8ab8f0 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--text); font: 17px/1.6 Georgia, 'Times New Roman', serif; overflow-wrap: break-word }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 2em 0 .6em; font-family: system-ui, sans-serif; text-wrap: balance }
h1 { font-size: 2rem; margin-top: .5em } h2 { font-size: 1.45rem } h3 { font-size: 1.2rem } h4, h5, h6 { font-size: 1rem }
.day, .provenance { color: var(--faint); font-size: .85rem; font-family: system-ui, sans-serif }
a { color: var(--link); text-underline-offset: .15em } a.citation { text-decoration: none }
a.citation:hover, a.citation:focus { text-decoration: underline }
blockquote { margin: 1em 0; padding-inline-start: 1rem; border-inline-start: 3px solid var(--line) }
pre, code { font: .88em/1.5 ui-monospace, Consolas, monospace; background: var(--code) }
code { padding: .1em .25em } pre { padding: .8rem 1rem; overflow-x: auto } pre code { padding: 0 }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1em 0; font-size: .92em }
th, td { border: 1px solid var(--line); padding: .35em .6em; text-align: start; vertical-align: top }
.left { text-align: left } .center { text-align: center } .right { text-align: right }
hr { border: 0; border-top: 1px solid var(--line); margin: 2em 0 }
.footnotes { font-size: .88em } .footnotes-sep { width: 8rem; margin-inline-start: 0 }
.references { list-style: none; padding: 0 } .references li { margin: 0 0 .9em }
.authors li { padding-inline-start: 2em; text-indent: -2em } .provenance { display: block; text-indent: 0; overflow-wrap: anywhere }
li:target { outline: 2px solid var(--link); outline-offset: .3em }
@page { margin: 2.2cm 2cm }
@media print {
  :root { --text: #000; --faint: #444; --line: #999; --paper: #fff; --code: #f4f4f2; --link: #000 }
  body { font-size: 11pt } main { max-width: none; padding: 0 }
  h1, h2, h3, h4, h5, h6 { break-after: avoid } pre, blockquote, table, .references li { break-inside: avoid }
  pre { white-space: pre-wrap }
}
`;
