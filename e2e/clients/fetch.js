// A naive program on fetch as a page in a browser would have it, in the manner
// of Zendesk's page "Best practices for avoiding rate limiting". On a 429 it
// reads Retry-After, sleeps and calls again. Its faults are kept, for they are
// in many integrations: a missing header is Number(null), no wait at all, and a
// date is no number, which setTimeout takes for no wait either; it calls itself
// without bound, and any other refusal is taken for data.
const { inTens } = require('./tens.js');

const headers = { Authorization: 'Bearer token', 'Content-Type': 'application/json' };

async function call(url, options) {
  const response = await fetch(url, { headers, ...options });
  if (response.status === 429) {
    const seconds = Number(response.headers.get('retry-after'));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return call(url, options);
  }
  return response.json();
}

async function list(base) {
  const ids = [];
  let url = `${base}/api/v2/tickets.json?page[size]=100`;
  while (url) {
    const page = await call(url);
    ids.push(...page.tickets.map((ticket) => ticket.id));
    url = page.meta.has_more ? page.links.next : null;
  }
  return ids;
}

async function main(base, task, ...tickets) {
  const url = (ticket) => `${base}/api/v2/tickets/${ticket}.json`;
  const change = { method: 'PUT', body: JSON.stringify({ ticket: { subject: 'changed' } }) };
  switch (task) {
    case 'list':
      return list(base);
    case 'show':
      return inTens(tickets, async (ticket) => (await call(url(ticket))).ticket.id);
    case 'update':
      return inTens(tickets, async (ticket) => (await call(url(ticket), change)).ticket.id);
    case 'create':
      return inTens(tickets, async (n) => {
        const body = JSON.stringify({ ticket: { subject: `made ${n}`, comment: { body: 'hello' } } });
        return (await call(`${base}/api/v2/tickets.json`, { method: 'POST', body })).ticket.id;
      });
  }
}

main(...process.argv.slice(2)).then((ids) => console.log(JSON.stringify(ids)));
