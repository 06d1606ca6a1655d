/**
 * The worlds that are walked from end to end. Each has two accounts; what else it has is said beside it. A limit of 1 shows
 * less of overlaps than one of 2, and leaves room for more of the rest.
 */
import type { Options, Reading } from "../../src/testing/WorldModel.js"

const perIp: Reading = { counting: "ip", successClears: "all", faultsCount: true }
const perAccount: Reading = { counting: "ipAndAccount", successClears: "own", faultsCount: true }
const mixed: Reading = { counting: "ipAndAccount", successClears: "all", faultsCount: true }
const ownRows: Reading = { counting: "ip", successClears: "own", faultsCount: true }

const plain: Options = {
  reading: perIp,
  limit: 2,
  lostAttempts: "abort",
  successClears: "location",
  processes: 2,
  tokens: 1,
  addressMoves: 0,
  refusals: [],
  keysApart: false,
  reportsLocks: false,
  gatewayAnswers: true,
  losesConfirmations: false
}
const low: Options = { ...plain, limit: 1 }

/** Walked by the tests, and by `npm run explore`. */
export const worlds = {
  "limit 2": plain,
  "limit 2, count per IP and account, a success clears its own": { ...plain, reading: perAccount },
  "limit 1, count per IP": low,
  "limit 1, count per IP, faults do not count": { ...low, reading: { ...perIp, faultsCount: false } },
  "limit 1, count per IP and account": { ...low, reading: mixed },
  "limit 1, count per IP and account, a success clears its own": { ...low, reading: perAccount },
  "limit 1, a success clears its own": { ...low, reading: ownRows, successClears: "account" },
  "limit 1, lost attempts continue": { ...low, lostAttempts: "continue" },
  "limit 1, sessions refused, confirmations lost": {
    ...low,
    refusals: [5030],
    losesConfirmations: true
  },
  "limit 1, locks reported": { ...low, reportsLocks: true },
  "limit 1, the address changes": { ...low, addressMoves: 1 }
} as const satisfies Record<string, Options>

/** Too large for every run: `NUMBER_EXPLORE=all` walks them, too. */
export const largeWorlds = {
  "limit 1, three processes": { ...low, processes: 3 },
  "limit 1, two tokens": { ...low, tokens: 2 },
  "limit 1, sessions refused with 5050": { ...low, refusals: [5030, 5050] },
  "limit 2, a success clears its own": { ...plain, reading: ownRows, successClears: "account" },
  "limit 2, lost attempts continue": { ...plain, lostAttempts: "continue" },
  "limit 2, sessions refused": { ...plain, refusals: [5030] },
  "limit 2, locks reported": { ...plain, reportsLocks: true }
} as const satisfies Record<string, Options>

/** Where mutants are hunted: what they need to be found, and not walked to the end. */
export const hunting = {
  plain,
  perAccount: { ...plain, reading: perAccount },
  reported: { ...plain, reportsLocks: true },
  tokens: { ...plain, tokens: 2 }
} as const satisfies Record<string, Options>

export const exploredWorlds: Readonly<Record<string, Options>> =
  process.env["NUMBER_EXPLORE"] === "all" ? { ...worlds, ...largeWorlds } : worlds
