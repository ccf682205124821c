// A naive program on axios, in the manner of Zendesk's page "Best practices for
// avoiding rate limiting". Its faults are kept, for they are in many
// integrations: axios throws on a 429, so the branch for it is never reached,
// the credentials have names that axios does not know, and it calls itself
// without bound.
const axios = require('axios');
const { inTens } = require('./tens.js');

const auth = { tokenUsername: 'agent@example.com/token', tokenPassword: 'token' };

async function call(method, url, data) {
  const response = await axios({ method, url, data, auth });
  if (response.status === 429) {
    const seconds = Number(response.headers['Retry-After']);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return call(method, url, data);
  }
  return response.data;
}

async function list(base) {
  const ids = [];
  let url = `${base}/api/v2/tickets.json?page[size]=100`;
  while (url) {
    const page = await call('get', url);
    ids.push(...page.tickets.map((ticket) => ticket.id));
    url = page.meta.has_more ? page.links.next : null;
  }
  return ids;
}

async function main(base, task, ...tickets) {
  const url = (ticket) => `${base}/api/v2/tickets/${ticket}.json`;
  switch (task) {
    case 'list':
      return list(base);
    case 'show':
      return inTens(tickets, async (ticket) => (await call('get', url(ticket))).ticket.id);
    case 'update':
      return inTens(tickets, async (ticket) =>
        (await call('put', url(ticket), { ticket: { subject: 'changed' } })).ticket.id);
    case 'create':
      return inTens(tickets, async (n) =>
        (await call('post', `${base}/api/v2/tickets.json`, { ticket: { subject: `made ${n}`, comment: { body: 'hello' } } })).ticket.id);
  }
}

main(...process.argv.slice(2)).then((ids) => console.log(JSON.stringify(ids)));
