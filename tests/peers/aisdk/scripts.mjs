// The scripts of the mock model, chosen by the user's text. A script is a list of steps; step n answers
// after n tool rounds. A step is a list of model parts, or a function of what the tools gave.
//
// `around`: chunks the server itself writes beside the model's, before the start and after the finish.
// `pace`: milliseconds between two parts. `failsAfter`: the model's connection breaks after so many parts.

import { call, reasoning, step, text } from './model-parts.mjs';

const LONG = Array.from({ length: 400 }, (_, n) => `Line ${n} of a long answer, with **marks** and \`code\`.\n`);
const WROTE = 'Done.';

function reported(results) {
  return step(text('0', `The tools said: ${JSON.stringify(results)}`));
}

export const SCRIPTS = {
  read: [step(text('0', 'Let me look.'), call('get_tables', { bucket_ids: ['in.c-crm'] })), reported],
  write: [step(text('0', 'I will ', 'create it.'), call('create_bucket', { name: 'reports', stage: 'in' })), reported],
  'two writes': [
    step(call('create_bucket', { name: 'first' }), call('run_job', { component_id: 'ex-db', configuration_id: '7' })),
    reported,
  ],
  'read then write': [
    step(call('get_tables', {})),
    step(text('0', 'Found them.'), call('create_bucket', { name: 'later' })),
    reported,
  ],
  'mixed step': [
    step(call('get_tables', {}), call('create_bucket', { name: 'beside' }), call('broken_tool', {})),
    reported,
  ],
  chain: [
    step(call('create_bucket', { name: 'one' })),
    step(text('0', 'Now the job.'), call('run_job', { component_id: 'ex-db', configuration_id: '1' })),
    reported,
  ],
  defaults: [step(call('create_bucket', { name: 'plain' })), reported],
  'dynamic write': [step(call('update_descriptions', { updates: [{ item_id: 'in.c-crm', text: 'x' }] })), reported],
  ask: [step(call('ask_user', { question: 'Which one?', options: ['a', 'b'] })), reported],
  metadata: [
    step(
      [
        { type: 'text-start', id: '0', providerMetadata: { mock: { block: 1 } } },
        { type: 'text-delta', id: '0', delta: 'With ' },
        { type: 'text-delta', id: '0', delta: 'extras.', providerMetadata: { mock: { block: 2 } } },
        { type: 'text-end', id: '0' },
      ],
      reasoning('r', ['Signed thought.'], { mock: { signature: 'c2lnbmVk' } }),
      call('create_bucket', { name: 'extras' }, { providerMetadata: { mock: { itemId: 'fc_1', deep: [1, { a: null }] } } }),
    ),
    reported,
  ],
  slow: [step(text('0', ...Array.from({ length: 300 }, (_, n) => `word${n} `)))],
  'slow call': [step(text('0', 'Working.'), call('progress', { steps: 200 })), reported],
  progress: [step(call('progress', { steps: 3 })), reported],
  'error mid-stream': [
    [...step(text('0', 'This much ', 'came')).slice(0, -2), { type: 'error', error: new Error('Overloaded') }],
  ],
  'error first': [[{ type: 'error', error: new Error('Overloaded at once') }]],
  'connection of the model breaks': [step(text('0', 'Half ', 'of ', 'it ', 'all'))],
  reasoning: [step(reasoning('r0', ['First ', 'this.'], { mock: { signature: 'abc' } }), text('0', 'So: 4.'))],
  sources: [
    step(
      text('0', 'See there.'),
      [
        { type: 'source', sourceType: 'url', id: 's1', url: 'https://help.example/flows/', title: 'Flows' },
        { type: 'source', sourceType: 'document', id: 's2', mediaType: 'application/pdf', title: 'Handbook', filename: 'h.pdf' },
        { type: 'file', mediaType: 'text/csv', data: 'YSxiCjEsMgo=' },
      ],
    ),
  ],
  long: [step(text('0', ...LONG))],
  'multi-step': [
    step(call('get_tables', {})),
    step(reasoning('r', ['Hm.']), call('query_data', { sql_query: 'SELECT 1', query_name: 'One' })),
    step(text('0', 'Nearly.'), call('get_tables', { bucket_ids: [] }), call('docs_query', { query: 'flows' })),
    reported,
  ],
  'unknown tool': [step(call('no_such_tool', { a: 1 })), reported],
  'invalid input': [step(call('query_data', { sql_query: 42 })), reported],
  'broken input': [step(call('query_data', '{"sql_query": "SEL')), reported],
  'tool fails': [step(call('broken_tool', {})), reported],
  'write fails': [step(call('run_job', { component_id: 'ex-db', configuration_id: 'missing' })), reported],
  'slow write': [step(call('run_job', { component_id: 'ex-db', configuration_id: 'slow' })), reported],
  'provider tool': [
    step(
      call('web_search', { query: 'x' }, { providerExecuted: true, dynamic: true }),
      [{ type: 'tool-result', toolCallId: 'the last call', toolName: 'web_search', result: { hits: [1] }, dynamic: true }],
      text('0', 'Found.'),
    ),
  ],
  empty: [step()],
  title: [step(text('0', 'Named.'))],
  usage: [step(text('0', 'Counted.'))],
  data: [step(text('0', 'With data.'))],
  'next actions': [step(text('0', 'Done.\n\n```next_act', 'ions\n- Show the tables\n- Run it\n```\n'))],
  surrogates: [step(text('0', 'a\ud83d', '\ude00b ', '\ud83d\udc68\u200d', '\ud83d', '\udc69 \u2028 end'), call('query_data', { sql_query: 'SELECT \'\ud83d\ude00\'', query_name: '\ud83d\ude00' })), reported],
  'length limit': [[...step(text('0', 'Cut')).slice(0, -1), { type: 'finish', finishReason: { unified: 'length', raw: 'max_tokens' }, usage: { inputTokens: {}, outputTokens: {} } }]],
};

export const PACE = { slow: 10, 'slow call': 1 };

export const FAILS_AFTER = { 'connection of the model breaks': 4 };

export const AROUND = {
  title: { before: [], after: [{ type: 'data-chat-title', data: 'A name from the server', transient: true }] },
  usage: {
    before: [],
    after: [
      { type: 'data-usage', data: { promptTokens: 100, completionTokens: 20, totalTokens: 120 } },
      { type: 'data-usage', data: { promptTokens: 5, completionTokens: 1, totalTokens: 6, cacheReadTokens: 2 } },
    ],
  },
  data: {
    before: [{ type: 'data-progress', id: 'p', data: { pct: 0 }, novel: { kept: true } }],
    after: [
      { type: 'data-progress', id: 'p', data: { pct: 100 } },
      { type: 'data-notification', data: { text: 'gone' }, transient: true },
      { type: 'message-metadata', messageMetadata: { more: { deep: [1] } } },
    ],
  },
  metadata: { before: [{ type: 'data-note', data: [1], novel: 'kept' }], after: [] },
};

export function stepsFor(said) {
  return SCRIPTS[said.trim().toLowerCase()] ?? [step(text('0', `You said: ${said}`))];
}
