// dns.lookup and dns.lookupService, the two of Node that ask libc, one after the other.
const dns = require('node:dns').promises;

// Patience on a busy machine: the first address is local and answers.
require('node:net').setDefaultAutoSelectFamilyAttemptTimeout?.(20000);

const names = ['www.example.test', 'alias.example.test', 'many.example.test', 'v6.example.test',
  'www', 'hosted', 'localhost', 'text.example.test', 'absent.example.test'];
const options = [{}, { all: true }, { all: true, verbatim: true }, { family: 4, all: true },
  { family: 6, hints: dns.V4MAPPED, all: true },
  { all: true, hints: require('node:dns').ADDRCONFIG }];
const addresses = [['192.0.2.80', 80], ['192.0.2.99', 22], ['127.0.0.5', 53],
  ['2001:db8::80', 443], ['2001:db8::99', 7777]];

async function show(what, promise) {
  try {
    console.log(what, JSON.stringify(await promise));
  } catch (error) {
    console.log(what, error.code, error.syscall, error.message);
  }
}

async function main() {
  for (const name of names) {
    for (const option of options) {
      await show(`lookup ${name} ${JSON.stringify(option)}:`, dns.lookup(name, option));
    }
  }
  for (const [address, port] of addresses) {
    await show(`lookupService ${address} ${port}:`, dns.lookupService(address, port));
  }
  const page = await fetch('http://alias.example.test:8080/').then((reply) => reply.text());
  console.log('fetch:', page);
}

main();
