/**
 * Lockout mutants: the library's own source with one rule of the design taken out. Each must be caught by a property
 * with a name; a property that catches none proves nothing.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { edited, type NamedEdit } from "../support/namedEdit.js"
import { neverLockedOut, type Options } from "../model/WorldModel.js"
import { buildModule } from "../verify/build.js"
import { hunting } from "./exhaustiveWorlds.js"

export interface Mutant {
  readonly name: string
  readonly edits: ReadonlyArray<NamedEdit>
  /** The world of the core whose random ways have to find it. Null: the random schedules of the real services do. */
  readonly world: Options | null
  /** The property that has to break. */
  readonly caughtBy: string
}

/** The files of the core. */
export const files = {
  chart: "src/machine/AuthMachine.ts",
  core: "src/machine/AuthCore.ts",
  ended: "src/machine/internal/attemptEnded.ts",
  guards: "src/machine/internal/guards.ts",
  handlers: "src/machine/internal/handlers.ts",
  ledger: "src/machine/Ledger.ts",
  marks: "src/machine/internal/marks.ts",
  memory: "src/machine/internal/memory.ts"
} as const

/** Replaces a value of a file. */
export const edit = (file: string, name: string, as: NamedEdit["as"]): NamedEdit => ({ file, name, as })

const backend = neverLockedOut
const isRefused = "a refused fingerprint is never sent again"
const { ended, guards, handlers, ledger, marks } = files
const acquire = "src/services/session/internal/acquire.ts"
const attempt = "src/services/session/internal/attempt.ts"

const coreMutant = (
  name: string,
  edits: ReadonlyArray<NamedEdit>,
  world: Options = hunting.plain,
  caughtBy: string = backend
): Mutant => ({ name, edits, world, caughtBy })

const servicesMutant = (name: string, ...edits: ReadonlyArray<NamedEdit>): Mutant => ({
  name,
  edits,
  world: null,
  caughtBy: backend
})

export const mutants: ReadonlyArray<Mutant> = [
  coreMutant("a limit of 6: one more than allowed", [
    edit(ledger, "isAtLimit", "(count, policy) => count > policy.limit")
  ]),
  coreMutant(
    "a success clears everything",
    [edit(marks, "isProvenOver", '(mark) => mark.status === "settled"')],
    hunting.refused
  ),
  coreMutant("a success clears what is in flight", [
    edit(
      ledger,
      "accept",
      (was) => `(ledger, ...rest) =>
        (${was})(withMarks(ledger, ledger.marks.filter(({ status }) => status === "settled")), ...rest)`
    )
  ]),
  coreMutant("a time-out is not counted", [
    edit(ended, "ledgerAfter/lost", "(ledger, { attempt }) => Ledger.release(ledger, attempt)")
  ]),
  coreMutant("a lease that ran out is taken for unsent", [
    edit(
      ledger,
      "age",
      (was) => `(ledger, moment, policy) => {
        const isOver = (mark) => mark.status === "inFlight" && mark.leaseEndsAtMillis <= moment.nowMillis
        const kept = ledger.marks.some(isOver)
          ? withMarks(ledger, ledger.marks.filter((mark) => !isOver(mark)))
          : ledger
        return (${was})(kept, moment, policy)
      }`
    )
  ]),
  coreMutant("no drain time", [edit(marks, "lostMark/drainsAtMillis", "moment.nowMillis")]),
  coreMutant("a new token resets the count", [
    edit(
      handlers,
      "takeCredentials",
      `(given, step, fingerprint) =>
        step.state !== "aborted"
          ? step
          : followLock(given, {
              ...on(given, step, { type: "credentials.replaced", fingerprint }),
              ledger: { ...step.ledger, marks: [] }
            })`
    )
  ]),
  servicesMutant(
    "the order of dates for the order of sequence numbers",
    edit(marks, "asOf", "(moment) => moment.nowMillis"),
    edit(marks, "beforeThis", "(moment) => moment.nowMillis"),
    edit(
      ledger,
      "accept",
      (was) => `(ledger, attempt, policy) => {
        const own = ledger.marks.find((mark) => mark.attempt === attempt.id && mark.status === "inFlight")
        const reservedAt = own === undefined ? 0 : own.leaseEndsAtMillis - policy.leaseMillis
        const others = withMarks(ledger, ledger.marks.filter((mark) => mark !== own))
        return (${was})(others, { id: reservedAt, account: attempt.account }, policy)
      }`
    )
  ),
  coreMutant(
    "no count of the account's own",
    [edit(ledger, "counts/account", "tally([])")],
    hunting.perAccount
  ),
  coreMutant(
    "a lifted lock clears what is in flight",
    [
      edit(
        marks,
        "outlivesLift",
        (was) => `(mark, reportedAt) => mark.status !== "inFlight" && (${was})(mark, reportedAt)`
      )
    ],
    hunting.reported
  ),
  coreMutant(
    "a refused fingerprint is forgotten",
    [
      edit(
        handlers,
        "barOf",
        (was) => `(context, ...rest) => (${was})({ ...context, refusedFingerprints: [] }, ...rest)`
      ),
      edit(guards, "guardsOf/canBeSent", "() => true"),
      edit(
        guards,
        "guardsOf/canBeReplaced",
        (was) =>
          `({ context }, params) => (${was})({ context: { ...context, refusedFingerprints: [] } }, params)`
      )
    ],
    hunting.tokens,
    isRefused
  ),
  servicesMutant(
    "the mark is put after sending",
    edit(
      acquire,
      "request/stepped",
      (was) => `(yield* Effect.flatMap(
        given.ledger.foresee([{ type: "request", fingerprint, claim }]),
        ({ decision }) =>
          decision._tag === "send"
            ? given.attempts.sendAhead({ attempt: decision.attempt, token, fingerprint }, began)
            : Effect.void
      ), ${was})`
    ),
    edit(
      attempt,
      "makeAttempts",
      (was) => `(given) => {
        let ahead
        return {
          sendAhead: (reserved, began) =>
            Effect.map(send(given, reserved, began), (outcome) => void (ahead = outcome)),
          make: (reserved, began) =>
            Effect.suspend(() => {
              if (ahead === undefined) return (${was})(given).make(reserved, began)
              const outcome = ahead
              ahead = undefined
              return settle(given, reserved, outcome)
            })
        }
      }`
    )
  ),
  servicesMutant(
    "an unsuccessful attempt is retried without a mark",
    edit(
      attempt,
      "send",
      (was) => `(...args) =>
        Effect.repeat((${was})(...args), { times: 2, until: (outcome) => outcome._tag === "accepted" })`
    )
  ),
  servicesMutant(
    "what is not certain is taken for unsent",
    edit(
      "src/services/wire/http/fate.ts",
      "transportFailure",
      (was) => `(error) => ({ ...(${was})(error), unsent: true })`
    )
  )
]

/** The edits of a mutant, to hunt it in another world. */
export const editsOf = (name: string): ReadonlyArray<NamedEdit> => {
  const mutant = mutants.find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`There is no mutant "${name}"`)
  return mutant.edits
}

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Writes a mutant's whole source tree, with the models of the world, and gives its folder, which is the caller's own. */
export const plant = (
  mutant: Pick<Mutant, "name" | "edits">,
  owner: "sampled" | "exhaustive" | "simulated"
): string => {
  const folder = join(root, ".mutants", owner, mutant.name.replace(/[^a-z0-9]+/gi, "-"))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const tree of ["src", "test/model"]) cpSync(join(root, tree), join(folder, tree), { recursive: true })
  for (const each of mutant.edits) {
    const path = join(folder, each.file)
    writeFileSync(path, edited(readFileSync(path, "utf8"), each))
  }
  return folder
}

/** A module of a planted mutant. */
export const load = async <A>(folder: string, file: string): Promise<A> =>
  createRequire(import.meta.url)(await buildModule(join(folder, file))) as A
