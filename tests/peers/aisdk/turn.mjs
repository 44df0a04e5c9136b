// One answer: the SDK's own stream over the stored chat, persisted as the SDK folds it.

import {
  convertToModelMessages,
  createUIMessageStream,
  createUIMessageStreamResponse,
  stepCountIs,
  streamText,
  validateUIMessages,
} from 'ai';
import { keep, newId } from './chats.mjs';
import { scriptedModel } from './model.mjs';
import { AROUND } from './scripts.mjs';

const said = error => (error instanceof Error ? error.message : String(error));

// Throws what `validateUIMessages` throws when the client sent a message the SDK does not accept.
export async function answer(chat, { tools, secret, gone }) {
  const messages = chat.messages.map(({ createdAt, ...message }) => message);
  const valid = await validateUIMessages({ messages, tools });
  const asked = valid.findLast(message => message.role === 'user');
  const around = AROUND[asked?.parts.map(part => part.text).join('').trim().toLowerCase()];

  const stream = createUIMessageStream({
    originalMessages: messages,
    generateId: newId,
    onError: said,
    onFinish: ({ responseMessage }) => {
      // Nothing was said at all when the request was refused before the model was asked.
      if (responseMessage.parts.length || responseMessage.id) keep(chat, wire(responseMessage));
    },
    execute: async ({ writer }) => {
      for (const chunk of around?.before ?? []) writer.write(chunk);
      const result = streamText({
        model: scriptedModel(prompt => chat.journal.prompts.push(prompt)),
        messages: await convertToModelMessages(valid, { tools, ignoreIncompleteToolCalls: true }),
        tools,
        stopWhen: stepCountIs(8),
        abortSignal: gone,
        experimental_toolApprovalSecret: secret,
        maxRetries: 0,
        onError: () => {},
      });
      const chunks = result.toUIMessageStream({ sendSources: true, messageMetadata, onError: said });
      for await (const chunk of chunks) writer.write(chunk);
      for (const chunk of around?.after ?? []) {
        if (chunk.type === 'data-chat-title') chat.row.title = chunk.data;
        writer.write(chunk);
      }
    },
  });
  return createUIMessageStreamResponse({ stream });
}

// What a store of JSON would give back.
const wire = message => JSON.parse(JSON.stringify(message));

function messageMetadata({ part }) {
  if (part.type === 'start') return { model: { name: 'mock', tier: 'std' } };
  if (part.type === 'finish') return { model: { tier: 'std' }, tokens: part.totalUsage.totalTokens ?? null };
}
