// Attacks the real program over sockets: broken handshakes, frames, requests; see frames/campaign.js.
//
//   ./dev fuzz --frames [SECONDS] [--seed N] [--connections N] [--round R [--attacks A[-B]]]
//     SECONDS        how long; 60
//     --seed N       the same attacks again; a new one each time otherwise
//     --connections  attackers at once; 48 (part of what makes a round the same)
//     --round R      only this round, once; --attacks: only these of it
//
// $PRICEGATE_BIN is the program; ./dev takes the one built with sanitizers. Exit 1: something is
// wrong, and the last lines say how to have it again.

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { Campaign } from './frames/campaign.js';

const number = { type: 'string' };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: number, connections: number, round: number, attacks: number },
});
const seconds = Number(positionals[0] ?? 60);
const seed = Number(values.seed ?? randomInt(2 ** 31));
const connections = Number(values.connections ?? 48);

console.log(`seed ${seed}`);
let status = 0;
let campaign = null;
try {
  campaign = await Campaign.start({ seed, connections });
  if (values.round !== undefined) {
    const [from, to = from] = (values.attacks ?? `0-${connections}`).split('-').map(Number);
    await campaign.round(Number(values.round), [from, to]);
  } else {
    const end = Date.now() + seconds * 1000;
    for (let round = 0; Date.now() < end; round++) await campaign.round(round);
  }
  console.log(campaign.summary());
  await campaign.stopUnderAttack(-1);
  campaign = null;
} catch (error) {
  console.log(`FAILED: ${error.message}`);
  status = 1;
}
try {
  await campaign?.stop();
} catch (error) {
  console.log(`FAILED at the end: ${error.message}`);
  status = 1;
}
if (status) console.log(`again: ./dev fuzz --frames --seed ${seed} --connections ${connections} --round R`);
process.exit(status);
