// Who decides about a writing tool, and how it waits.

// kai-assistant: the SDK asks, ends the stream and takes the answer out of the next request.
export function needsApproval(_name, run) {
  return { needsApproval: true, execute: input => run(input) };
}

// kai-agent: the call waits inside the open stream until somebody posts a decision beside it.
export class Desk {
  waiting = new Map();
  permissions = {};

  // For `makeTools`.
  gate = (name, run) => ({
    execute: async (input, { toolCallId, abortSignal }) => {
      if (this.permissions[name] === 'always_allow') return run(input);
      if (this.permissions[name] === 'blocked') throw new Error('This tool is blocked.');
      const decision = await this.decision(toolCallId, abortSignal);
      if (!decision.approved) throw new Error(decision.reason ?? 'The user denied this call.');
      return run(decision.updatedInput ?? input, decision.answers);
    },
  });

  decision(toolCallId, signal) {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting.delete(toolCallId);
        reject(new DOMException('Aborted', 'AbortError'));
      };
      if (signal?.aborted) return leave();
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.set(toolCallId, resolve);
    });
  }

  // True when that call waited.
  decide(body) {
    const resolve = this.waiting.get(body.toolUseId);
    this.waiting.delete(body.toolUseId);
    resolve?.(body);
    return resolve !== undefined;
  }
}
