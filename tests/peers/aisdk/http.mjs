// What Node's HTTP server lacks: bodies as JSON, answers of both kinds, and hearing a client hang up.

import { once } from 'node:events';

export async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString('utf8') || '{}');
}

export function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export function plain(response, status, text) {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(text);
}

// Sends a web Response. A body is read to its end also when the client is gone, so that what came is kept.
export async function stream(response, answer) {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  for await (const bytes of answer.body) {
    if (response.closed || response.write(bytes)) continue;
    await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}
