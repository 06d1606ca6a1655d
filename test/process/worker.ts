/**
 * A process that holds a session, and is killed at a step that the test names. It reports its steps as lines
 * of JSON on standard output. Each line is written at once, so that none is lost when it is killed.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Fs from "node:fs"
import { AuthStore, type Stored, type Write } from "../../src/services/store/AuthStore.js"
import * as NumberTransport from "../../src/services/wire/NumberTransport.js"
import { call, failed, type Result, type Session, sessionLayer } from "./session.js"
import { storeLayer } from "./store.js"

/** The step at which a worker stops; `null` if it does not stop. */
export type Gate =
  "beforeMark" | "inMark" | "beforeSending" | "beforeSettling" | "inSettling" | "settled" | null

/** The task of a worker, as JSON in the variable `WORKER`. */
export interface Task extends Session {
  readonly store: string
  readonly gate: Gate
  /**
   * `wait`: it stays at its gate until it is killed. `suspend`: it suspends itself the first time, as SIGSTOP would from
   * outside, and goes on when it is continued. Not inside a transaction.
   */
  readonly atGate: "wait" | "suspend"
  /** `once`: one call and out. `loop`: a call every 100 milliseconds until it is killed. */
  readonly mode: "once" | "loop"
}

/** A line of a worker's output. */
export type Line =
  | { readonly type: "started" }
  | { readonly type: "gate"; readonly gate: Gate }
  | { readonly type: "reserved"; readonly attempt: number }
  /** The attempt has its permit, and is written now. */
  | { readonly type: "written" }
  | { readonly type: "answered" }
  /** `refused`: Number refused the token, the account awaited that answer, and from now on the store has to know it. */
  | { readonly type: "settled"; readonly attempt: number; readonly refused: boolean }
  | { readonly type: "overwritten"; readonly held: number; readonly by: number }
  | Result

const task = JSON.parse(process.env["WORKER"]!) as Task

const emit = (line: Line): void => void Fs.writeSync(1, `${JSON.stringify(line)}\n`)

let hasSlept = false

/**
 * Holds the process at a gate: it waits forever, or suspends itself once. `stop` also blocks the event loop.
 */
const gate = (here: Exclude<Gate, null>): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (task.gate !== here || hasSlept) return Effect.void
    emit({ type: "gate", gate: here })
    if (task.atGate === "wait") return Effect.never
    hasSlept = true
    process.kill(process.pid, "SIGSTOP")
    return Effect.void
  })
const stop = (here: Exclude<Gate, null>): void => {
  if (task.gate !== here) return
  emit({ type: "gate", gate: here })
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const generationOf = ({ account }: Pick<Stored, "account">): number =>
  account.context.session?.generation ?? 0

/** The outcome of the attempt as the transport gave it, before the library interpreted it. */
let answer: string | null = null

/**
 * Whether the account awaits the answer to an attempt: the attempt is under way, or was the last one given
 * up.
 */
const isAwaited = ({ account: { context } }: Stored, attempt: number): boolean =>
  (context.attempt ?? context.lostAttempt)?.id === attempt

/** The store, with gates. It reports its writes. */
const gated = Layer.effect(
  AuthStore,
  Effect.map(AuthStore, (store): AuthStore["Type"] => {
    let reserved = 0
    return {
      ...store,
      transact: <A>(
        key: Parameters<typeof store.transact>[0],
        decide: (stored: Stored) => readonly [A, Write]
      ) =>
        Effect.gen(function* () {
          const isSettling = reserved !== 0
          yield* gate(isSettling ? "beforeSettling" : "beforeMark")
          let isMark = false
          let refused = false
          const result = yield* store.transact(key, (stored) => {
            const decided = decide(stored)
            const [, write] = decided
            if (write === null) return decided
            isMark = write.ledger.marks.some(
              (mark) => mark.attempt === stored.moment.sequence && mark.status === "inFlight"
            )
            if (isMark) reserved = stored.moment.sequence
            const [held, by] = [generationOf(stored), generationOf(write)]
            refused = answer === "refused" && isAwaited(stored, reserved)
            if (by !== 0 && by < held) emit({ type: "overwritten", held, by })
            if (isMark) stop("inMark")
            else if (isSettling) stop("inSettling")
            return decided
          })
          if (isMark) {
            emit({ type: "reserved", attempt: reserved })
            yield* gate("beforeSending")
          } else if (isSettling) {
            emit({ type: "settled", attempt: reserved, refused })
            reserved = 0
            answer = null
            yield* gate("settled")
          }
          return result
        })
    }
  })
).pipe(Layer.provide(storeLayer(task.store)))

/** The transport. It reports its requests and answers. */
const watched = Layer.effect(
  NumberTransport.NumberTransport,
  Effect.map(NumberTransport.NumberTransport, (transport): NumberTransport.NumberTransport["Type"] => ({
    authenticate: (attempt) =>
      Effect.tap(
        transport.authenticate({
          ...attempt,
          permit: Effect.tap(attempt.permit, () => emit({ type: "written" }))
        }),
        ({ _tag }) => {
          answer = _tag
          emit({ type: "answered" })
        }
      )
  }))
).pipe(Layer.provide(NumberTransport.layerRest({ baseUrl: task.baseUrl })))

const callAndTell = Effect.map(call, emit)

const program =
  task.mode === "once"
    ? callAndTell
    : Effect.forever(Effect.zipRight(callAndTell, Effect.sleep("100 millis")))

emit({ type: "started" })
program
  .pipe(
    Effect.provide(
      sessionLayer(task).pipe(
        Layer.provide([gated, watched]),
        Layer.provide([NodeHttpClient.layer, NodeContext.layer])
      )
    ),
    Effect.catchAll((error) => Effect.sync(() => emit(failed(error)))),
    // Standard output is for the lines alone.
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))),
    Effect.runPromise
  )
  .then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error)
      process.exit(70)
    }
  )
