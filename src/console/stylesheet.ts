import { STYLESHEET_PREFIX } from '../http/assets.ts';

/**
 * The one stylesheet of every page: tokens first, then elements, then a handful of components.
 * It is a string, not a file, so that a Worker without static assets can serve it, and so that its
 * address can carry its hash and be cached for ever.
 */
export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --paper: #f5efe4;
  --glow: rgb(255 205 112 / 0.38);
  --surface: #fffcf6;
  --inset: #f7f1e5;
  --ink: #2a241c;
  --muted: #645a4c;
  --line: #e0d5c1;
  --edge: #8c7f6b;
  --accent: #1d5c49;
  --accent-strong: #15493a;
  --on-accent: #ffffff;
  --info: #e9f1eb;
  --info-line: #b9d2c4;
  --warning: #fdf0d2;
  --warning-line: #dcb162;
  --warning-ink: #754a00;
  --error: #fbe9e4;
  --error-line: #dfa294;
  --error-ink: #96281a;
  --shadow: 0 1px 2px rgb(66 48 20 / 0.06), 0 12px 32px -12px rgb(66 48 20 / 0.2);
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", P052, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --radius: 0.625rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #191612;
    --glow: rgb(255 190 92 / 0.13);
    --surface: #231f1a;
    --inset: #1b1814;
    --ink: #efe7da;
    --muted: #b3a795;
    --line: #3b342b;
    --edge: #857967;
    --accent: #8fd0b4;
    --accent-strong: #abe0c8;
    --on-accent: #0e2219;
    --info: #1d2b25;
    --info-line: #365447;
    --warning: #332814;
    --warning-line: #7d6027;
    --warning-ink: #f2c673;
    --error: #371f1a;
    --error-line: #84483b;
    --error-ink: #f5aa9a;
    --shadow: 0 12px 32px -12px rgb(0 0 0 / 0.6);
  }
}

*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  display: flex;
  flex-direction: column;
  min-height: 100vh;
  min-height: 100dvh;
  margin: 0;
  background: radial-gradient(52rem 34rem at 50% -12rem, var(--glow), transparent) no-repeat var(--paper);
  color: var(--ink);
  font: 1rem/1.6 var(--sans);
}
h1, h2, h3, h4 { margin: 0; font-family: var(--serif); font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.7rem, 1.45rem + 1.2vw, 2.15rem); letter-spacing: -0.01em; }
h2 { font-size: 1.35rem; }
h3 { font-size: 1.2rem; }
h4 { font: 600 0.9375rem/1.4 var(--sans); }
p, ul, ol, dl, fieldset, form { margin: 0; }
p { text-wrap: pretty; }
ul, ol { padding-inline-start: 1.25rem; }
li + li { margin-top: 0.4rem; }
a { color: var(--accent); text-underline-offset: 0.18em; }
a:hover { color: var(--accent-strong); text-decoration-thickness: 2px; }
code { font-family: var(--mono); font-size: 0.9em; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 0.25rem; }

.skip { position: absolute; inset-inline-start: 1rem; top: -6rem; z-index: 1; padding: 0.6rem 1rem;
  border-radius: 0 0 var(--radius) var(--radius); background: var(--accent); color: var(--on-accent); }
.skip:focus { top: 0; color: var(--on-accent); }
.header { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.5rem 1.5rem;
  width: 100%; max-width: 33rem; margin-inline: auto; padding: 1.25rem 1.25rem 0; }
.wordmark { display: inline-flex; align-items: center; gap: 0.6rem; color: var(--ink);
  font: 600 1.4rem/1 var(--serif); text-decoration: none; }
.wordmark:hover { color: var(--ink); }
.wordmark svg { width: 2rem; height: 2rem; }
.person { display: flex; align-items: center; gap: 0.9rem; min-width: 0; color: var(--muted); font-size: 0.9375rem; }
.person form { flex: none; }
.person a { min-width: 0; color: inherit; }
.main { flex: 1; width: 100%; max-width: 33rem; margin-inline: auto; padding: clamp(1.75rem, 6vh, 4rem) 1.25rem 3rem; }
.main:focus { outline: none; }
.wide { max-width: 47rem; }
.wide h1 { font-size: clamp(1.9rem, 1.4rem + 2.2vw, 2.7rem); }
.footer { padding: 1.25rem; color: var(--muted); font-size: 0.875rem; text-align: center; }

.stack { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem; }
.stack.tight { gap: 0.5rem; }
.stack.loose { gap: 2.75rem; }
.lead { font-size: 1.125rem; }
.muted { color: var(--muted); }
.small { font-size: 0.9375rem; }
.eyebrow { color: var(--muted); font-size: 0.9375rem; font-weight: 600; }
.untrusted { overflow-wrap: anywhere; }
.good { color: var(--accent); }
.doubtful { color: var(--warning-ink); }

.card { padding: clamp(1.5rem, 5vw, 2.25rem); border: 1px solid var(--line); border-radius: 1rem;
  background: var(--surface); box-shadow: var(--shadow); }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.75rem; }
.rule { margin: 0; border: 0; border-top: 1px solid var(--line); }

.button { display: inline-flex; align-items: center; justify-content: center; min-height: 2.875rem;
  padding: 0.5rem 1.25rem; border: 1px solid transparent; border-radius: var(--radius); background: var(--accent);
  color: var(--on-accent); font: 600 1rem/1.3 var(--sans); text-align: center; text-decoration: none; cursor: pointer; }
.button:hover { background: var(--accent-strong); color: var(--on-accent); }
.button:focus-visible { border-radius: var(--radius); }
.button.secondary { border-color: var(--edge); background: transparent; color: var(--ink); }
.button.secondary:hover { border-color: var(--ink); background: var(--inset); color: var(--ink); }
.button.quiet { min-height: 2rem; padding: 0.2rem 0.35rem; border-color: transparent; background: transparent;
  margin-inline: -0.35rem; color: var(--accent); font-size: 0.9375rem; text-decoration: underline;
  text-underline-offset: 0.18em; }
.button.quiet:hover { color: var(--accent-strong); text-decoration-thickness: 2px; }
.button.full { width: 100%; }
.choices { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }

.label { font-weight: 600; }
.input { width: 100%; min-height: 3rem; padding: 0.6rem 0.85rem; border: 1px solid var(--edge);
  border-radius: var(--radius); background: var(--inset); color: var(--ink); font: 1.0625rem/1.4 var(--sans); }
.input:focus-visible { outline-offset: 0; border-color: var(--accent); border-radius: var(--radius); }
.input[aria-invalid] { border-color: var(--error-ink); }
.problem { color: var(--error-ink); font-weight: 600; }

.checks { min-width: 0; padding: 0; border: 0; }
.checks > legend { padding: 0; font-weight: 600; }
.checks > p { margin-bottom: 0.75rem; }
.check { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 0.85rem; }
.checks .check { padding: 0.8rem 0; border-top: 1px solid var(--line); }
.checks .check:last-child { border-bottom: 1px solid var(--line); }
.check input { width: 1.5rem; height: 1.5rem; margin: 0.05rem 0 0; accent-color: var(--accent); }
.check label { cursor: pointer; }
.checks label { font-weight: 600; }
.check .hint { grid-column: 2; }

.notice { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.75rem; padding: 0.9rem 1rem;
  border: 1px solid var(--info-line); border-radius: var(--radius); background: var(--info); font-size: 0.9375rem; }
.notice svg { width: 1.3rem; height: 1.3rem; margin-top: 0.1rem; color: var(--accent); }
.notice.warning { border-color: var(--warning-line); background: var(--warning); }
.notice.error { border-color: var(--error-line); background: var(--error); }
.notice.warning :is(svg, strong) { color: var(--warning-ink); }
.notice.error :is(svg, strong) { color: var(--error-ink); }

.facts { overflow: hidden; border: 1px solid var(--line); border-radius: var(--radius); background: var(--inset); }
.facts > div { padding: 0.75rem 1rem; }
.facts > div + div { border-top: 1px solid var(--line); }
.facts dt { color: var(--muted); font-size: 0.875rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts .chief { display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 6;
  font-size: 1.125rem; font-weight: 600; line-height: 1.35; }

.copy { display: block; margin: 0; padding: 0.75rem 0.95rem; border: 1px solid var(--line); border-radius: var(--radius);
  background: var(--inset); font: 0.9375rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere;
  -webkit-user-select: all; user-select: all; cursor: text; }
.copy.chief { padding: 1rem 1.1rem; border-color: var(--edge); background: var(--surface); font-size: 1.0625rem;
  font-weight: 600; }
.copy.plain { -webkit-user-select: auto; user-select: auto; }
.select { -webkit-user-select: all; user-select: all; }

.folds { overflow: hidden; border: 1px solid var(--line); border-radius: 1rem; background: var(--surface);
  box-shadow: var(--shadow); }
.folds > details + details { border-top: 1px solid var(--line); }
.folds summary { display: flex; align-items: center; gap: 0.8rem; padding: 0.95rem 1.25rem; font-weight: 600;
  list-style: none; cursor: pointer; }
.folds summary:focus-visible { outline-offset: -4px; border-radius: 0.9rem; }
.folds summary::-webkit-details-marker { display: none; }
.folds summary::before { content: ""; flex: none; width: 0.5rem; height: 0.5rem; margin-inline-end: 0.1rem;
  border: solid var(--accent); border-width: 0 2px 2px 0; transform: rotate(-45deg); }
.folds details[open] > summary::before { transform: translateY(-0.1rem) rotate(45deg); }
.folds summary:hover { color: var(--accent); }
.folds .inside { padding: 0.1rem 1.25rem 1.5rem 2.65rem; }
.inside li > :is(.copy, .row) { margin-block: 0.5rem; }
.inside li + li { margin-top: 0.6rem; }

.folds.flat { border-radius: var(--radius); background: none; box-shadow: none; }
.folds.flat summary { padding: 0.6rem 1rem; }
.folds.flat .inside { padding: 0.1rem 1rem 1rem; }

.toc { columns: 15rem 3; column-gap: 1.5rem; font-size: 0.9375rem; }
.toc > div { break-inside: avoid; margin-bottom: 1.1rem; }
.toc ul { padding: 0; list-style: none; }
.docs :is(h2, h3)[id] { scroll-margin-top: 1.5rem; }
.docs dt > code:first-child { color: var(--ink); font-size: 0.9375rem; font-weight: 600; }
.docs .copy { overflow-x: auto; white-space: pre; overflow-wrap: normal; }
.docs .facts p + p { margin-top: 0.2rem; }
.docs .facts .facts { margin-top: 0.6rem; }
.route { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.6rem; }
.method { padding: 0.05rem 0.5rem; border-radius: 0.35rem; background: var(--accent); color: var(--on-accent);
  font: 600 0.8125rem/1.5 var(--mono); }

.tabs { display: flex; flex-wrap: wrap; gap: 0.35rem 1.4rem; padding-bottom: 0.75rem; border-bottom: 1px solid var(--line); }
.tabs a { padding-block: 0.2rem; font-weight: 600; text-decoration: none; }
.tabs a:hover { text-decoration: underline; }
.tabs a[aria-current] { color: var(--ink); box-shadow: 0 2px var(--ink); }
.items { overflow: hidden; padding: 0; border: 1px solid var(--line); border-radius: 1rem; background: var(--surface);
  box-shadow: var(--shadow); list-style: none; }
.items > li { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.6rem 1.5rem;
  margin: 0; padding: 1rem 1.25rem; }
.items > li + li { border-top: 1px solid var(--line); }
.items .about { flex: 1 1 16rem; min-width: 0; overflow-wrap: anywhere; }
.items .name { font-weight: 600; }
.items .row .input { width: auto; min-height: 2.875rem; padding-block: 0.4rem; font-size: 1rem; }
.items .row form { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.75rem; }
.steps { padding: 0; list-style: none; }
.steps > li { display: grid; grid-template-columns: 1.5rem minmax(0, 1fr); gap: 0 0.6rem; margin: 0; padding-block: 0.3rem; }
.steps > li::before { content: "\\2713"; color: var(--accent); font-weight: 700; }
.steps > li.open::before { content: "\\25CB"; color: var(--muted); font-weight: 400; }
.steps .small { grid-column: 2; }
.drop { padding: 1.5rem 1.25rem; border: 2px dashed var(--edge); border-radius: var(--radius); background: var(--inset); }
.drop.over { border-color: var(--accent); background: var(--info); }
.drop input { max-width: 100%; font: inherit; color: inherit; }
.drop ::file-selector-button { min-height: 2.5rem; margin-inline-end: 0.75rem; padding: 0.3rem 1rem;
  border: 1px solid var(--edge); border-radius: var(--radius); background: var(--surface); color: var(--ink);
  font: 600 1rem/1.3 var(--sans); cursor: pointer; }
.drop ::file-selector-button:hover { border-color: var(--ink); }
progress { display: block; width: 100%; height: 0.5rem; margin-block: 0.35rem; accent-color: var(--accent); }
meter.room { display: block; width: 100%; max-width: 26rem; height: 0.6rem; border-radius: 0.3rem; border: 0;
  background: var(--inset); appearance: none; }
meter.room::-webkit-meter-inner-element { display: block; }
meter.room::-webkit-meter-bar { height: 0.6rem; border: 1px solid var(--edge); border-radius: 0.3rem; background: var(--inset); }
meter.room::-webkit-meter-optimum-value { background: var(--accent); }
meter.room::-webkit-meter-suboptimum-value { background: var(--warning-line); }
meter.room::-moz-meter-bar { background: var(--accent); }
[hidden] { display: none !important; }
.items .action { padding-block: 0.35rem; font-weight: 600; text-decoration: none; }
.items .action:hover { text-decoration: underline; }
.crumbs { display: flex; flex-wrap: wrap; gap: 0.15rem 0.5rem; overflow-wrap: anywhere; }
.crumbs [aria-current] { font-weight: 600; }
.badge { display: inline-block; padding: 0 0.55rem; border: 1px solid var(--info-line); border-radius: 1rem;
  background: var(--info); font-size: 0.8125rem; font-weight: 600; white-space: nowrap; }
.badge.doubtful { border-color: var(--warning-line); background: var(--warning); color: var(--warning-ink); }
.filter { display: flex; flex-wrap: wrap; align-items: end; gap: 0.75rem 1rem; }
.filter > .stack { flex: 1 1 13rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

@media (max-width: 26rem) {
  .main, .header { padding-inline: 1rem; }
  .folds .inside { padding-inline-start: 1.25rem; }
  .inside .copy { padding-inline: 0.7rem; font-size: 0.875rem; }
  .docs .card { padding: 1.1rem; }
  .docs .flat .inside { padding-inline: 0.7rem; }
}
`;

/** FNV-1a. It tells one version of a file from another; nothing depends on its strength. */
export function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** Where {@link STYLESHEET} is served. Its content never changes under one path: cache it as immutable. */
export const STYLESHEET_PATH = `${STYLESHEET_PREFIX}${fingerprint(STYLESHEET)}.css`;

/** The stylesheet of all pages. Its path changes with its content, so it may be kept for good. */
export const stylesheet = (): Response =>
  new Response(STYLESHEET, {
    headers: { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'public, max-age=31536000, immutable' },
  });
