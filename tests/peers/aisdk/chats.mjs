// The chats, in memory, the newest last; and what happened in each, for the tests to look at.

import { randomUUID } from 'node:crypto';

export class Chats {
  #chats = new Map();

  begin(id, visibility) {
    const now = new Date().toISOString();
    const chat = {
      row: { id, title: 'New chat', createdAt: now, updatedAt: null, visibility, userId: 'user-1' },
      messages: [],
      votes: new Map(),
      journal: { posts: [], approvals: [], prompts: [], hangUps: 0 },
    };
    this.#chats.set(id, chat);
    return chat;
  }

  get(id) {
    return this.#chats.get(id);
  }

  delete(id) {
    return this.#chats.delete(id);
  }

  // Newest first. `rule` says which cursor leads to older chats (kai.md §4.7): "template" has
  // ending_before for that, "forward" has starting_after; the other one leads to newer chats.
  page({ limit, startingAfter, endingBefore, rule }) {
    const rows = [...this.#chats.values()].map(chat => chat.row).reverse();
    const cursor = startingAfter ?? endingBefore;
    const at = rows.findIndex(row => row.id === cursor);
    if (cursor !== undefined && at < 0) return undefined;
    const older = rule === 'template' ? endingBefore !== undefined : startingAfter !== undefined;
    const found = cursor === undefined ? rows : older ? rows.slice(at + 1) : rows.slice(0, at);
    return { chats: found.slice(0, limit), hasMore: found.length > limit };
  }
}

// Put a message where it belongs: over the stored one of the same id, else at the end.
export function keep(chat, message) {
  const at = chat.messages.findIndex(stored => stored.id === message.id);
  const stored = { ...chat.messages[at], ...message };
  stored.createdAt ??= new Date().toISOString();
  if (at < 0) chat.messages.push(stored);
  else chat.messages[at] = stored;
  chat.row.updatedAt = new Date().toISOString();
}

export const newId = () => randomUUID();
