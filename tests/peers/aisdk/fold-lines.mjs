// No server: what the SDK makes of streams of chunks. One JSON line in, one out, in order.
//
// in   {"sdk": 6|7, "chunks": […], "into"?: the assistant message that is continued}
// or   {"sdk": 6|7, "script": [[model parts of step 1], …]}: the chunks come from `streamText` then
// out  {"taken": how many chunks the SDK took before it stopped at a broken rule (all, usually),
//       "message": what its server side keeps of those, "snapshots": what its reader showed on the way,
//       "chunks": … of a script}

import * as readline from 'node:readline';
import * as sdk6 from 'ai';
import * as sdk7 from 'ai7';
import { scriptedChunks } from './script-chunks.mjs';

const SDKS = { 6: sdk6, 7: sdk7 };
const copy = value => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

// As `createUIMessageStream` persists it; undefined when the SDK stopped.
async function persisted(sdk, chunks, into) {
  let kept;
  let taken = 0;
  const stream = sdk.createUIMessageStream({
    originalMessages: into ? [into] : [],
    generateId: () => 'made-here',
    onError: String,
    onFinish: ({ responseMessage }) => {
      kept = responseMessage;
    },
    execute: ({ writer }) => {
      for (const chunk of chunks) writer.write(copy(chunk));
    },
  });
  try {
    for await (const _ of stream) taken++;
  } catch {
    return { taken };
  }
  return { taken, message: copy(kept) };
}

// As `readUIMessageStream` shows it, change by change.
async function snapshots(sdk, chunks, into) {
  const stream = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(copy(chunk));
      controller.close();
    },
  });
  const seen = [];
  for await (const message of sdk.readUIMessageStream({ stream, message: copy(into), onError: () => {} })) {
    seen.push(copy(message));
  }
  return seen;
}

async function fold({ sdk: version, chunks: given, script, into, show }) {
  const sdk = SDKS[version];
  const chunks = given ?? copy(await scriptedChunks(sdk, script));
  let result = await persisted(sdk, chunks, copy(into));
  if (result.message === undefined) result = await persisted(sdk, chunks.slice(0, result.taken), copy(into));
  const took = chunks.slice(0, result.taken);
  return {
    ...result,
    ...(script ? { chunks } : {}),
    ...(show ? { snapshots: await snapshots(sdk, took, into) } : {}),
  };
}

for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const answer = await fold(JSON.parse(line)).catch(error => ({ failed: String(error?.stack ?? error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
