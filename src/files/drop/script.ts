import { fingerprint } from '../../console/stylesheet.ts';

/**
 * The script of the page on which files are dropped: only a script can take several files at once, show how far
 * each is, and send a large one in parts. It asks where each goes (`POST` to the page itself) and PUTs it there.
 */
export const DROP_SCRIPT = `
const zone = document.querySelector('[data-drop]');
const input = zone.querySelector('input');
const list = document.querySelector('[data-list]');
const summary = document.querySelector('[data-summary]');
const LOST = 'The connection broke. Drop the file again.';
let waiting = [];
let running = 0;
let done = 0;
let total = 0;

function row(file) {
  const item = document.createElement('li');
  const name = Object.assign(document.createElement('bdi'), { className: 'untrusted name', textContent: file.name });
  const bar = Object.assign(document.createElement('progress'), { max: Math.max(1, file.size), value: 0 });
  bar.setAttribute('aria-label', file.name);
  const said = Object.assign(document.createElement('div'), { className: 'muted small', textContent: 'Waiting' });
  const about = Object.assign(document.createElement('div'), { className: 'about' });
  about.append(name, bar, said);
  item.append(about);
  list.append(item);
  list.hidden = false;
  return {
    at: (bytes) => { bar.value = bytes; said.textContent = Math.floor(100 * bytes / Math.max(1, file.size)) + ' %'; },
    end: (text, ok) => { said.textContent = text; said.className = ok ? 'small good' : 'small problem'; bar.hidden = true; },
  };
}

async function ask(address, init) {
  const answer = await fetch(address, init).catch(() => undefined);
  const said = await answer?.json().catch(() => undefined);
  if (!answer?.ok) throw new Error(said?.detail ?? LOST);
  return said;
}

function send(url, bytes, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => {
      if (request.status < 300) return resolve();
      let detail;
      try { detail = JSON.parse(request.responseText).detail; } catch {}
      reject(new Error(detail ?? LOST));
    };
    request.onerror = () => reject(new Error(LOST));
    request.send(bytes);
  });
}

async function upload(file, shown) {
  const { url, parts, part_size: size } = await ask(location.pathname, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: file.name, size: file.size, ...(file.type ? { type: file.type } : {}) }),
  });
  if (!parts) return send(url, file, shown.at);
  for (let part = 0; part < parts; part++) {
    const bytes = file.slice(part * size, (part + 1) * size);
    for (let attempt = 1; ; attempt++) {
      try {
        await send(url + '/parts/' + (part + 1), bytes, (sent) => shown.at(part * size + sent));
        break;
      } catch (error) {
        if (attempt === 5) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
      }
    }
  }
  await ask(url + '/complete', { method: 'POST' });
}

function next() {
  while (running < 3 && waiting.length > 0) {
    const { file, shown } = waiting.shift();
    running++;
    upload(file, shown)
      .then(() => { shown.at(file.size); shown.end('Stored', true); done++; })
      .catch((error) => shown.end(error.message, false))
      .finally(() => { running--; tell(); next(); });
  }
}

function tell() {
  summary.textContent = done + ' of ' + total + (total === 1 ? ' file' : ' files') + ' stored';
}

function take(files) {
  for (const file of files) waiting.push({ file, shown: row(file) });
  total += files.length;
  tell();
  next();
}

input.addEventListener('change', () => { take([...input.files]); input.value = ''; });
// Anywhere on the page: a browser would leave it and show a file that is let go beside the frame.
for (const type of ['dragenter', 'dragover']) document.addEventListener(type, (event) => { event.preventDefault(); zone.classList.add('over'); });
for (const type of ['dragleave', 'drop']) document.addEventListener(type, () => zone.classList.remove('over'));
document.addEventListener('drop', (event) => { event.preventDefault(); take([...event.dataTransfer.files]); });
addEventListener('beforeunload', (event) => { if (running > 0) event.preventDefault(); });
zone.hidden = false;
`;

/** Where {@link DROP_SCRIPT} is served, as immutable as the stylesheet. */
export const DROP_SCRIPT_PATH = `/assets/drop-${fingerprint(DROP_SCRIPT)}.js`;
