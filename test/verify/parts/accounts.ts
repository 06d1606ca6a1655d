/** Many accounts at one location, more than any user will have. */
import { Effect, Exit } from "effect"
import { Fault } from "../../../src/testing/NumberEmulator.js"
import { accountOf, makeCrowd, numbers, startCrowd, tagsOf } from "../../support/accounts.js"
import { ip } from "../../support/stack.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Figures {
  readonly accounts: number
  readonly mostAtOnce: number
  readonly greatestCount: number
}

const startTogether = (size: number) =>
  Effect.gen(function* () {
    const crowd = yield* makeCrowd(size)
    const bad = [3, Math.floor(size / 2), size - 2]
    for (const n of bad) crowd.spoil(n)
    // The first rounds take long enough to fill the room on any machine. The rest end as soon as they can.
    yield* crowd.emulator.setDelays({ answer: "1 millis" })
    yield* crowd.emulator.inject(
      ...numbers(Math.min(20, size / 40)).map(() => Fault.DelayAnswer("3 seconds"))
    )
    const accounts = yield* startCrowd(crowd)
    const exits = yield* Effect.forEach(
      numbers(size),
      (n) => Effect.exit(accounts.sessionKey(accountOf(n))),
      { concurrency: "unbounded" }
    )
    const refused = numbers(size).filter((n) => Exit.isFailure(exits[n]!))
    const order = yield* crowd.order
    return {
      ends: tagsOf(exits),
      onlyBadOnesFail: refused.join() === bad.join(),
      attempts: order.length,
      attempted: new Set(order).size,
      mostAtOnce: crowd.seen.most,
      greatestCount: yield* crowd.emulator.peak,
      countAtTheEnd: yield* crowd.emulator.countOf(ip)
    }
  }).pipe(Effect.withTracerEnabled(false), Effect.scoped)

export const runner: Runner<Figures> = {
  jobs: ["accounts"],
  run: async (_, { most }) => {
    const found = await Effect.runPromise(startTogether(most))
    const { attempted, attempts, countAtTheEnd, ends, greatestCount, mostAtOnce, onlyBadOnesFail } = found
    const holds =
      ends["ok"] === most - 3 &&
      ends["AuthAborted"] === 3 &&
      onlyBadOnesFail &&
      attempts === most &&
      attempted === most &&
      mostAtOnce === 5 &&
      greatestCount <= 3 &&
      countAtTheEnd === 0
    return {
      done: most,
      breaches: holds ? [] : [`${most} accounts: ${JSON.stringify(found)}`],
      figures: { accounts: most, mostAtOnce, greatestCount }
    }
  },
  sum: ([first]) => ({ figures: first?.figures ?? {}, breaches: [] }),
  print: sentences
}
