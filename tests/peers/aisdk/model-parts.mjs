// What a model says, in the terms of the SDK's model interface: one function per thing it can do.

let calls = 0;

export function usage(input, output) {
  return {
    inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: output, text: output, reasoning: 0 },
  };
}

export function text(id, ...deltas) {
  return [
    { type: 'text-start', id },
    ...deltas.map(delta => ({ type: 'text-delta', id, delta })),
    { type: 'text-end', id },
  ];
}

export function reasoning(id, deltas, providerMetadata) {
  return [
    { type: 'reasoning-start', id },
    ...deltas.map(delta => ({ type: 'reasoning-delta', id, delta })),
    { type: 'reasoning-end', id, providerMetadata },
  ];
}

// A call whose input comes in pieces of seven characters, as models send it. `input` may be any JSON,
// or a string to be sent as it is. The id is one of the script; the model makes a fresh one of it.
export function call(toolName, input, more = {}) {
  const id = `script_${++calls}`;
  const whole = typeof input === 'string' ? input : JSON.stringify(input);
  return [
    { type: 'tool-input-start', id, toolName, ...more },
    ...(whole.match(/[\s\S]{1,7}/g) ?? []).map(delta => ({ type: 'tool-input-delta', id, delta })),
    { type: 'tool-input-end', id },
    { type: 'tool-call', toolCallId: id, toolName, input: whole, ...more },
  ];
}

// A step as a whole: the finish reason follows from whether there are calls.
export function step(...parts) {
  const said = parts.flat();
  const ours = said.some(part => part.type === 'tool-call' && !part.providerExecuted);
  const unified = ours ? 'tool-calls' : 'stop';
  return [
    { type: 'stream-start', warnings: [] },
    ...said,
    { type: 'finish', finishReason: { unified, raw: unified }, usage: usage(11, 7) },
  ];
}
