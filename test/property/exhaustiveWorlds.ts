/**
 * The worlds that are walked completely. Each has two accounts; its other options stand beside it. A limit of
 * 1 shows fewer overlaps than a limit of 2, and leaves room for more of the other options.
 */
import type { Options, Reading } from "../model/WorldModel.js"

const perIp: Reading = { counting: "ip", successClears: "all", faultsCount: true }
const perAccount: Reading = { counting: "ipAndAccount", successClears: "own", faultsCount: true }
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
/** An account whose session never ends makes no attempt after a success. So these sessions are refused. */
const low: Options = { ...plain, limit: 1, refusals: [5030] }
const single: Options = { ...plain, processes: 1, refusals: [5030] }

/**
 * Under this reading a success of one account does not interrupt the row of another, so the policy has to
 * match.
 */
const isOnlyForAccount = (reading: Reading): boolean =>
  reading.counting === "ip" && reading.successClears === "own"

const nameOf = ({ counting, faultsCount, successClears }: Reading): string =>
  [
    counting === "ip" ? "count per IP" : "count per IP and account",
    successClears === "all" ? "a success clears all" : "a success clears its own",
    faultsCount ? "faults count" : "faults do not count"
  ].join(", ")

/**
 * Every reading of the points that the documentation leaves open, under each policy that is safe under it.
 */
export const readings: Readonly<Record<string, Options>> = Object.fromEntries<Options>(
  (["ip", "ipAndAccount"] as const)
    .flatMap((counting) => (["all", "own"] as const).map((successClears) => ({ counting, successClears })))
    .flatMap((each) => [true, false].map((faultsCount): Reading => ({ ...each, faultsCount })))
    .flatMap((reading) =>
      (["location", "account"] as const)
        .filter((successClears) => successClears === "account" || !isOnlyForAccount(reading))
        .map((successClears) => [
          `limit 1: ${nameOf(reading)}; policy ${successClears}`,
          { ...low, reading, successClears }
        ])
    )
)

/**
 * Walked by the tests, and by `npm run verify`. If one reading counts at least as much as another in each of
 * its parts, then its count is at least as great, whatever happens. So the walks under two readings cover
 * every reading that the default policy is for.
 */
export const worlds: Readonly<Record<string, Options>> = {
  "limit 2": plain,
  "limit 2, count per IP and account, a success clears its own": { ...plain, reading: perAccount },
  "limit 2, one process, sessions refused": single,
  "limit 2, one process, sessions refused, count per IP and account, a success clears its own": {
    ...single,
    reading: perAccount
  },
  "limit 2, one process, sessions refused, a success clears its own; policy account": {
    ...single,
    reading: ownRows,
    successClears: "account"
  },
  "limit 1, lost attempts continue": { ...low, lostAttempts: "continue" },
  "limit 1, three processes": { ...low, processes: 3 },
  "limit 1, confirmations lost": { ...low, losesConfirmations: true },
  "limit 1, sessions refused with 5050": { ...low, refusals: [5030, 5050] },
  "limit 1, one process, sessions refused with 5050, keys apart": {
    ...low,
    processes: 1,
    refusals: [5050],
    keysApart: true
  },
  "limit 1, locks reported": { ...low, reportsLocks: true },
  "limit 1, the address changes": { ...low, addressMoves: 1 }
}

/** Everything that can happen, at once, with the real limit. */
const everything: Options = {
  ...plain,
  limit: 5,
  processes: 3,
  tokens: 2,
  addressMoves: 1,
  refusals: [5030, 5050],
  keysApart: true,
  reportsLocks: true,
  losesConfirmations: true
}

/** Worlds too large to be walked completely: random ways go through them. */
export const largeWorlds: Readonly<Record<string, Options>> = {
  "limit 1, four processes": { ...low, processes: 4 },
  "limit 1, two tokens": { ...low, tokens: 2 },
  "limit 2, a success clears its own; policy account": {
    ...plain,
    reading: ownRows,
    successClears: "account"
  },
  "limit 2, lost attempts continue": { ...plain, lostAttempts: "continue" },
  "limit 2, two processes, sessions refused": { ...plain, refusals: [5030] },
  "limit 2, locks reported": { ...plain, reportsLocks: true },
  "limit 5": { ...plain, limit: 5 },
  "limit 5, everything at once": everything,
  "limit 5, everything at once, lost attempts continue": { ...everything, lostAttempts: "continue" },
  "limit 5, everything at once, count per IP and account, a success clears its own": {
    ...everything,
    reading: perAccount
  }
}

/** Worlds in which no client is safe that has this policy, or that does not know its address. */
export const unsafeWorlds: Readonly<Record<string, Options>> = {
  "the default policy where a success does not interrupt the rows of other accounts": {
    ...single,
    reading: ownRows
  },
  "an address that changes there and back: Number goes on counting where it was": {
    ...plain,
    addressMoves: 2
  }
}

/**
 * The worlds in which mutants are hunted. They have just the options that show a mutant, and are not walked
 * completely.
 */
export const hunting = {
  plain,
  perAccount: { ...plain, reading: perAccount },
  reported: { ...plain, reportsLocks: true },
  refused: { ...plain, refusals: [5030] },
  tokens: { ...plain, tokens: 2 }
} as const satisfies Record<string, Options>
