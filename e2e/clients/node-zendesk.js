// A program on node-zendesk, as its documentation shows it.
const { createClient } = require('node-zendesk');
const { inTens } = require('./tens.js');

async function main(base, task, ...tickets) {
  const client = createClient({
    username: 'agent@example.com',
    token: 'token',
    subdomain: 'acme',
    endpointUri: `${base}/api/v2`,
  });
  switch (task) {
    case 'list':
      return (await client.tickets.list()).map((ticket) => ticket.id);
    case 'show':
      return inTens(tickets, async (ticket) => (await client.tickets.show(ticket)).result.id);
    case 'update':
      return inTens(tickets, async (ticket) =>
        (await client.tickets.update(ticket, { ticket: { subject: 'changed' } })).result.id);
    case 'create':
      return inTens(tickets, async (n) =>
        (await client.tickets.create({ ticket: { subject: `made ${n}`, comment: { body: 'hello' } } })).result.id);
  }
}

main(...process.argv.slice(2)).then((ids) => console.log(JSON.stringify(ids)));
