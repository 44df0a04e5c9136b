// Everything of kai.md §4 that is no conversation.

import { bodyOf, json, plain } from './http.mjs';
import { Refusal } from './refusals.mjs';
import { WRITES } from './tools.mjs';

const now = () => new Date().toISOString();

export const ping = ({ response }) => json(response, 200, { timestamp: now() });

export const info = ({ house, response }) =>
  json(response, 200, {
    timestamp: now(),
    uptime: process.uptime(),
    appName: `kai-${house.service}`,
    appVersion: '6',
    serverVersion: 'peer',
    connectedMcp: [{ name: 'keboola-mcp', status: 'connected' }],
  });

export function deleteChat({ house, response, query }) {
  const id = query.get('id');
  if (!id) throw new Refusal('bad_request', 'api', 'Parameter id is required.');
  if (!house.chats.get(id)) throw new Refusal('forbidden', 'chat', 'This chat belongs to another user.');
  const { row } = house.chats.get(id);
  house.chats.delete(id);
  json(response, 200, row);
}

export function history({ house, response, query }) {
  const startingAfter = query.get('starting_after') ?? undefined;
  const endingBefore = query.get('ending_before') ?? undefined;
  house.historyCalls.push(query.toString());
  if (startingAfter !== undefined && endingBefore !== undefined) {
    throw new Refusal('bad_request', 'api', 'The request is not valid.', 'Only one of starting_after or ending_before can be provided.');
  }
  const limit = Number(query.get('limit') ?? 10);
  const page = house.chats.page({ limit, startingAfter, endingBefore, rule: house.cursors });
  if (page === undefined) throw new Refusal('not_found', 'history', 'There is no such chat.');
  json(response, 200, page);
}

export function getVotes({ house, response, query }) {
  const chatId = query.get('chatId');
  const rows = [...house.chat(chatId).votes].map(([messageId, isUpvoted]) => ({ chatId, messageId, isUpvoted }));
  json(response, 200, rows);
}

export async function patchVote({ house, request, response }) {
  const { chatId, messageId, type } = await bodyOf(request);
  if (!chatId || !messageId || !type) throw new Refusal('bad_request', 'api', 'The request is not valid.', 'chatId, messageId, and type are required.');
  house.chat(chatId).votes.set(messageId, type === 'up');
  plain(response, 200, 'Message voted');
}

export const resume = ({ response }) => response.writeHead(204).end();

export const tools = ({ house, response }) =>
  json(response, 200, {
    tools: Object.keys(house.tools).map(name => ({ name, description: name, readOnly: !WRITES.includes(name) })),
  });

export const usage = ({ response }) =>
  json(response, 200, { messagesUsed: 42, messagesLimit: 150, resetDate: '2031-01-01T00:00:00.000Z' });

export const userSettings = ({ house, response }) =>
  json(response, 200, { projectId: '1', userId: 'user-1', customInstructions: null, toolPermissions: house.desk.permissions });

export async function patchUserSettings({ house, request, response }) {
  const { toolPermissions } = await bodyOf(request);
  house.desk.permissions = toolPermissions === null ? {} : { ...house.desk.permissions, ...toolPermissions };
  userSettings({ house, response });
}

// Not of Kai: what happened in a chat, and what was changed in the project.
export function journal({ house, response, query }) {
  const chat = house.chats.get(query.get('chatId'));
  json(response, 200, { ...chat?.journal, project: house.project, history: house.historyCalls });
}
