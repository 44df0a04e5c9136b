// Plays Kai on the real AI SDK. See README.md. Prints one JSON line when it listens.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Chats } from './chats.mjs';
import { Desk, needsApproval } from './decisions.mjs';
import { Refusal } from './refusals.mjs';
import { listener } from './routes.mjs';
import { makeTools } from './tools.mjs';

const { values } = parseArgs({
  options: {
    service: { type: 'string', default: 'assistant' },
    signed: { type: 'boolean', default: false },
    cursors: { type: 'string', default: 'template' },
    port: { type: 'string', default: '0' },
    child: { type: 'boolean', default: false },
  },
});
if (!['assistant', 'agent'].includes(values.service) || !['template', 'forward'].includes(values.cursors)) {
  console.error('--service assistant|agent, --cursors template|forward');
  process.exit(2);
}

const project = { buckets: [], jobs: [] };
const desk = new Desk();
const house = {
  service: values.service,
  cursors: values.cursors,
  secret: values.signed ? randomBytes(32).toString('hex') : undefined,
  token: randomBytes(12).toString('hex'),
  chats: new Chats(),
  historyCalls: [],
  project,
  desk,
  tools: makeTools(project, values.service === 'agent' ? desk.gate : needsApproval),
  chat(id) {
    const found = this.chats.get(id);
    if (!found) throw new Refusal('not_found', 'chat', 'The requested chat was not found.');
    return found;
  },
};

// As the child of a test: its end is ours, however it ends.
if (values.child) process.stdin.on('end', () => process.exit(0)).resume();

const server = createServer(listener(house)).listen(Number(values.port), '127.0.0.1', () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ base_url: base, storage_api_url: base, token: house.token, service: house.service }));
});
