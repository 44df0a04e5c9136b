// POST and GET of a chat (kai.md §4.3 to §4.5, §4.10).

import { Refusal } from './refusals.mjs';
import { keep } from './chats.mjs';
import { bodyOf, json, stream } from './http.mjs';
import { answer } from './turn.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export async function postChat({ house, request, response }) {
  const body = await bodyOf(request);
  check(body, house.service);
  const chat = house.chats.get(body.id) ?? house.chats.begin(body.id, body.selectedVisibilityType);
  chat.journal.posts.push(body);
  keep(chat, body.message);

  const gone = new AbortController();
  response.on('close', () => {
    if (response.writableFinished) return;
    chat.journal.hangUps += 1;
    gone.abort();
  });
  let answered;
  try {
    answered = await answer(chat, { tools: house.tools, secret: house.secret, gone: gone.signal });
  } catch (error) {
    throw new Refusal('bad_request', 'api', 'The request is not valid.', error.message);
  }
  await stream(response, answered);
}

function check(body, service) {
  const bad = cause => new Refusal('bad_request', 'api', 'The request is not valid.', cause);
  const { id, message, selectedChatModel, selectedVisibilityType } = body;
  if (!UUID.test(id) || !UUID.test(message?.id)) throw bad('id');
  if (selectedChatModel !== 'chat-model') throw bad('selectedChatModel');
  if (!['private', 'public'].includes(selectedVisibilityType)) throw bad('selectedVisibilityType');
  if (message.role === 'assistant' && service === 'agent') throw bad('role');
  if (message.role === 'user' && !message.parts.some(part => part.text?.trim())) throw bad('parts');
}

export function getChat({ house, response, id }) {
  const chat = house.chat(id);
  json(response, 200, { ...chat.row, messages: chat.messages });
}

export async function postApproval({ house, request, response, id }) {
  const body = await bodyOf(request);
  house.chats.get(id)?.journal.approvals.push(body);
  if (!house.desk.decide(body)) throw new Refusal('not_found', 'api', 'No pending approval found');
  json(response, 200, { success: true, toolUseId: body.toolUseId, approved: body.approved });
}
