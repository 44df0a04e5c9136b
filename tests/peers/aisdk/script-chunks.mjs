// The chunks that `streamText` of either SDK writes for a model that says given things.

import { MockLanguageModelV3 } from 'ai/test';
import { needsApproval } from './decisions.mjs';
import { makeTools } from './tools.mjs';

export async function scriptedChunks(sdk, steps) {
  let next = 0;
  const model = new MockLanguageModelV3({
    doStream: async () => ({ stream: streamOf(steps[Math.min(next++, steps.length - 1)]) }),
  });
  const result = sdk.streamText({
    model,
    prompt: 'go',
    tools: makeTools({ buckets: [], jobs: [] }, needsApproval),
    stopWhen: sdk.stepCountIs(steps.length),
    maxRetries: 0,
    onError: () => {},
  });
  const chunks = [];
  const stream = result.toUIMessageStream({
    sendSources: true,
    generateMessageId: () => 'm1',
    onError: error => (error instanceof Error ? error.message : String(error)),
    messageMetadata: ({ part }) => (part.type === 'finish' ? { tokens: part.totalUsage.totalTokens } : undefined),
  });
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

function streamOf(parts) {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(revived(part));
      controller.close();
    },
  });
}

// An error crosses the line as a text.
const revived = part => (part.type === 'error' ? { ...part, error: new Error(part.error) } : part);
