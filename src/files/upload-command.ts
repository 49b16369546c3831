import { shellQuoted } from '../lib/shell.ts';
import type { Shell } from './model.ts';

/** A file that is to be sent from the working directory. */
export interface Sending {
  /** Chosen by somebody else: each command quotes it so that nothing in it is run, and takes it for a name alone. */
  readonly name: string;
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  /** How many parts of how many bytes, if it goes in parts: those that are there are left out, so it can be run again. */
  readonly parts?: { readonly count: number; readonly bytes: number } | undefined;
}

/** A command that uploads a file. What the server says to it is shown, also where it refuses. */
export function uploadCommand(shell: Shell, sending: Sending): string {
  return COMMANDS[shell](sending);
}

const COMMANDS: Readonly<Record<Shell, (sending: Sending) => string>> = { curl, python, powershell };

/**
 * For a POSIX shell: with `./`, so that curl takes the name neither for an option nor for standard input, and with
 * globbing off, so that `[1]` is no range. Without `Expect`, because curl would wait a second for an answer that not
 * every server gives. A part is cut by `dd` and sent from standard input.
 */
function curl({ name, url, parts }: Sending): string {
  const [file, address] = [shellQuoted(`./${name}`), shellQuoted(url)];
  if (!parts) return `curl --fail-with-body --globoff --header 'Expect:' --upload-file ${file} ${address}`;
  return [
    `there=$(curl --fail-with-body --silent --globoff ${address}) || exit`,
    `for n in $(seq 1 ${parts.count}); do`,
    `  case $there in *'"number":'$n','*) continue;; *'"state":"uploading"'*) ;; *) break;; esac`,
    `  dd if=${file} bs=${parts.bytes} skip=$((n - 1)) count=1 2>/dev/null |`,
    `    curl --fail-with-body --silent --globoff --header 'Expect:' --upload-file - ${address}/parts/$n || exit`,
    'done',
    `curl --fail-with-body --globoff --request POST ${address}/complete`,
  ].join('\n');
}

/** For Python 3 without any package. With a Content-Length a file is sent as it is read. */
function python({ name, url, size, parts }: Sending): string {
  const [file, address] = [pythonQuoted(name), pythonQuoted(url)];
  const type = '"Content-Type": "application/octet-stream"';
  const begin = ['import json, urllib.error, urllib.request', 'def send(method, url, data=None, **headers):'];
  const send = [
    '    try:',
    `        request = urllib.request.Request(url, data, {${type}, **headers}, method=method)`,
    '        return json.load(urllib.request.urlopen(request))',
    '    except urllib.error.HTTPError as error:',
    '        raise SystemExit(error.read().decode())',
  ];
  const whole = [
    `with open(${file}, "rb") as file:`,
    `    print(send("PUT", ${address}, file, **{"Content-Length": "${size}"}))`,
  ];
  const inParts = [
    `url = ${address}`,
    'status = send("GET", url)',
    'there = {part["number"] for part in status["parts"]}',
    `with open(${file}, "rb") as file:`,
    `    for n in range(1, ${(parts?.count ?? 0) + 1}):`,
    '        if status["state"] == "uploading" and n not in there:',
    `            file.seek((n - 1) * ${parts?.bytes})`,
    `            send("PUT", f"{url}/parts/{n}", file.read(${parts?.bytes}))`,
    'print(send("POST", url + "/complete"))',
  ];
  return [...begin, ...send, ...(parts ? inParts : whole)].join('\n');
}

/** For PowerShell from 5.1 on. `-InFile` would take `[1]` for a pattern; .NET knows no working directory of PowerShell's. */
function powershell({ name, url, parts }: Sending): string {
  const [file, address] = [`($PWD.ProviderPath + ${powershellQuoted(`/${name}`)})`, powershellQuoted(url)];
  const send = "Invoke-RestMethod -ContentType 'application/octet-stream' -Method Put";
  if (!parts) return `${send} -Uri ${address} -Body ([IO.File]::ReadAllBytes(${file}))`;
  return [
    "$ErrorActionPreference = 'Stop'",
    `$url = ${address}`,
    '$status = Invoke-RestMethod -Uri $url',
    '$there = @($status.parts | ForEach-Object { $_.number })',
    `$file = [IO.File]::OpenRead(${file})`,
    'try {',
    `  foreach ($n in 1..${parts.count}) {`,
    "    if ($status.state -ne 'uploading' -or $there -contains $n) { continue }",
    `    $file.Position = [long]($n - 1) * ${parts.bytes}`,
    `    $part = New-Object byte[] ([Math]::Min(${parts.bytes}, $file.Length - $file.Position))`,
    '    for ($at = 0; $at -lt $part.Length; ) { $at += $file.Read($part, $at, $part.Length - $at) }',
    `    ${send} -Uri "$url/parts/$n" -Body $part | Out-Null`,
    '  }',
    '} finally { $file.Dispose() }',
    'Invoke-RestMethod -Method Post -Uri "$url/complete"',
  ].join('\n');
}

/** Text as a string of Python, which has all escapes of JSON. Nothing beyond the first plane is escaped in JSON. */
function pythonQuoted(text: string): string {
  return JSON.stringify(text);
}

/** Text as a string of PowerShell in which nothing is run. It takes four more characters for a single quote. */
function powershellQuoted(text: string): string {
  return `'${text.replaceAll(/['\u2018-\u201B]/g, '$&$&')}'`;
}
