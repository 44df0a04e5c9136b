// Which path leads where, and who may come in.

import * as chat from './chat-routes.mjs';
import { json } from './http.mjs';
import * as other from './other-routes.mjs';
import { Refusal } from './refusals.mjs';

const BOTH = [
  ['GET', '/ping', other.ping],
  ['GET', '/api', other.info],
  ['POST', '/api/chat', chat.postChat],
  ['DELETE', '/api/chat', other.deleteChat],
  ['GET', '/api/chat/:id', chat.getChat],
  ['GET', '/api/history', other.history],
  ['GET', '/api/vote', other.getVotes],
  ['PATCH', '/api/vote', other.patchVote],
  ['GET', '/journal', other.journal],
];

const OF = {
  assistant: [['GET', '/api/chat/:id/stream', other.resume]],
  agent: [
    ['POST', '/api/chat/:id/approval', chat.postApproval],
    ['GET', '/api/settings/tools', other.tools],
    ['GET', '/api/settings/user', other.userSettings],
    ['PATCH', '/api/settings/user', other.patchUserSettings],
    ['GET', '/api/usage', other.usage],
  ],
};

export function listener(house) {
  const routes = [...BOTH, ...OF[house.service]].map(([method, path, handle]) => ({
    method,
    handle,
    path: new RegExp(`^${path.replace(':id', '([^/]+)')}$`),
  }));
  return async (request, response) => {
    try {
      const url = new URL(request.url, 'http://localhost');
      if (url.pathname !== '/ping' && url.pathname !== '/api') checkToken(house, request);
      for (const { method, path, handle } of routes) {
        const found = path.exec(url.pathname);
        if (found && method === request.method) {
          return await handle({ house, request, response, query: url.searchParams, id: found[1] });
        }
      }
      throw new Refusal('not_found', 'api', 'There is nothing here.');
    } catch (error) {
      refuse(house, response, error);
    }
  };
}

function checkToken(house, request) {
  const given = request.headers['x-storageapi-token'];
  if (given !== house.token || !request.headers['x-storageapi-url']) {
    throw new Refusal('unauthorized', 'chat', 'You need to sign in to view this chat. Please sign in and try again.');
  }
}

function refuse(house, response, error) {
  if (response.headersSent) return response.destroy();
  if (error instanceof Refusal) return json(response, error.status, error.body(house.service));
  console.error(error);
  response.writeHead(500, { 'content-type': 'text/plain' });
  response.end('Internal Server Error');
}
