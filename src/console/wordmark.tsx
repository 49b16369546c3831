/**
 * The mark: a carrel seen from the front, a desk between two panels with a reading lamp on it. Its
 * colours are its own, the same by day and by night, because the browser's tab shows it too.
 */
function Mark() {
  return (
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke-linecap="round" aria-hidden="true">
      <rect width="32" height="32" rx="7.5" fill="#1d5c49" />
      <path d="M6.5 26.5V12.5M25.5 26.5V12.5M6.5 21.5h19M16 14.5v7" stroke="#fff8e8" stroke-width="2.3" />
      <path d="M9.8 14.2C9.8 10.2 12.5 7.2 16 7.2s6.2 3 6.2 7Z" fill="#ffd27a" />
    </svg>
  );
}

/** The mark and the name, as a link to the start page. */
export function Wordmark() {
  return (
    <a class="wordmark" href="/">
      <Mark />
      Carrel
    </a>
  );
}

/** The icon of the browser's tab, inline: pages load nothing but their stylesheet. */
export const ICON_URL = `data:image/svg+xml,${encodeURIComponent(String(<Mark />))}`;
