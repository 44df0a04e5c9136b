// The mock model: finds the script by the user's last words, the step by what was done since.

import { MockLanguageModelV3 } from 'ai/test';
import { FAILS_AFTER, PACE, stepsFor } from './scripts.mjs';

let calls = 0;

export function scriptedModel(onPrompt) {
  return new MockLanguageModelV3({
    doStream: async ({ prompt, abortSignal }) => {
      onPrompt(prompt);
      const asked = prompt.findLastIndex(message => message.role === 'user');
      const said = textOf(prompt[asked]);
      const since = prompt.slice(asked + 1);
      const steps = stepsFor(said);
      const rounds = since.filter(message => message.role === 'tool').length;
      const step = steps[Math.min(rounds, steps.length - 1)];
      const parts = typeof step === 'function' ? step(resultsIn(since)) : step;
      const key = said.trim().toLowerCase();
      return { stream: paced(withFreshIds(parts), PACE[key] ?? 0, FAILS_AFTER[key], abortSignal) };
    },
  });
}

function textOf(message) {
  return (message?.content ?? []).map(part => part.text ?? '').join('');
}

function resultsIn(messages) {
  return messages
    .filter(message => message.role === 'tool')
    .flatMap(message => message.content)
    .filter(part => part.type === 'tool-result')
    .map(part => part.output);
}

// Each time it is said, a call is another one. A result the provider itself sends belongs to the call before it.
function withFreshIds(parts) {
  const ids = new Map();
  let last;
  const fresh = id => ids.get(id) ?? ids.set(id, `call_${++calls}`).get(id);
  return parts.map(part => {
    if (part.type.startsWith('tool-input-')) return { ...part, id: fresh(part.id) };
    if (part.type === 'tool-call') last = fresh(part.toolCallId);
    return part.type === 'tool-call' || part.type === 'tool-result' ? { ...part, toolCallId: last } : part;
  });
}

function paced(parts, milliseconds, failsAfter, signal) {
  let next = 0;
  return new ReadableStream({
    async pull(controller) {
      if (milliseconds) await new Promise(resolve => setTimeout(resolve, milliseconds));
      if (signal?.aborted) return controller.error(new DOMException('Aborted', 'AbortError'));
      if (next === failsAfter) return controller.error(new Error('The connection to the model broke'));
      if (next === parts.length) return controller.close();
      controller.enqueue(parts[next++]);
    },
  });
}
