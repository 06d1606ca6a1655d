/**
 * A process that holds a session, to be killed at a step that the test names. It tells what it does as lines of JSON on
 * standard output, written at once, so that nothing is lost when it is killed.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import { AuthNotifier } from "../../src/services/AuthNotifier.js"
import { AuthStore, type Stored, type Write } from "../../src/services/AuthStore.js"
import * as CredentialProvider from "../../src/services/CredentialProvider.js"
import * as NumberAuth from "../../src/services/NumberAuth.js"
import * as NumberTransport from "../../src/services/NumberTransport.js"
import { storeLayer } from "./store.js"

/** Where a worker can be made to wait to be killed; `null` where it is not. */
export type Gate =
  "beforeMark" | "inMark" | "beforeSending" | "beforeSettling" | "inSettling" | "settled" | null

/** What a worker is told, as JSON in the variable `WORKER`. */
export interface Task {
  readonly store: string
  readonly account: string
  readonly token: string
  readonly baseUrl: string
  readonly location: string
  readonly gate: Gate
  /** `once`: one call and out. `loop`: a call every 50 milliseconds until it is killed. */
  readonly mode: "once" | "loop"
  readonly settings: Partial<NumberAuth.Options>
  /** By how many milliseconds the process's clock is off. */
  readonly clockOffsetMillis: number
}

/** A line of a worker. */
export type Line =
  | { readonly type: "gate"; readonly gate: Gate }
  | { readonly type: "reserved" | "settled"; readonly attempt: number }
  | { readonly type: "overwritten"; readonly held: number; readonly by: number }
  | { readonly type: "served"; readonly key: string }
  | {
      readonly type: "failed"
      readonly error: string
      readonly message: string
      readonly afterMillis: number
    }

const task = JSON.parse(process.env["WORKER"]!) as Task

const tell = (line: Line): void => void Fs.writeSync(1, `${JSON.stringify(line)}\n`)

/** Waits for ever, as far as this process is concerned; `stop` also stops its event loop. */
const gate = (here: Exclude<Gate, null>): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (task.gate !== here) return Effect.void
    tell({ type: "gate", gate: here })
    return Effect.never
  })
const stop = (here: Exclude<Gate, null>): void => {
  if (task.gate !== here) return
  tell({ type: "gate", gate: here })
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const generationOf = ({ account }: Pick<Stored, "account">): number =>
  account.context.session?.generation ?? 0

/** The store with gates, and with an eye on what is written. */
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
          const result = yield* store.transact(key, (stored) => {
            const decided = decide(stored)
            const [, write] = decided
            if (write === null) return decided
            isMark = write.ledger.marks.some(
              (mark) => mark.attempt === stored.moment.sequence && mark.status === "inFlight"
            )
            if (isMark) reserved = stored.moment.sequence
            const [held, by] = [generationOf(stored), generationOf(write)]
            if (by !== 0 && by < held) tell({ type: "overwritten", held, by })
            if (isMark) stop("inMark")
            else if (isSettling) stop("inSettling")
            return decided
          })
          if (isMark) {
            tell({ type: "reserved", attempt: reserved })
            yield* gate("beforeSending")
          } else if (isSettling) {
            tell({ type: "settled", attempt: reserved })
            reserved = 0
            yield* gate("settled")
          }
          return result
        })
    }
  })
).pipe(Layer.provide(storeLayer(task.store)))

const clock = Clock.make()
const offsetClock: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
  unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + task.clockOffsetMillis,
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis + task.clockOffsetMillis)
})

const call = Effect.gen(function* () {
  const auth = yield* NumberAuth.NumberAuth
  const beganNanos = yield* Clock.currentTimeNanos
  const result = yield* Effect.either(
    Effect.gen(function* () {
      const response = yield* auth.httpClient.execute(
        HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({ pid: process.pid }))
      )
      yield* response.json
      return Redacted.value(yield* auth.sessionKey)
    })
  )
  if (Either.isRight(result)) {
    tell({ type: "served", key: result.right })
    return
  }
  const { _tag, message } = result.left
  const afterMillis = Number((yield* Clock.currentTimeNanos) - beganNanos) / 1e6
  tell({ type: "failed", error: _tag, message, afterMillis })
})

const program = task.mode === "once" ? call : Effect.forever(Effect.zipRight(call, Effect.sleep("50 millis")))

program
  .pipe(
    Effect.provide(
      NumberAuth.layer({
        account: task.account,
        location: task.location,
        baseUrl: task.baseUrl,
        ...task.settings
      }).pipe(
        Layer.provide(
          Layer.mergeAll(
            gated,
            NumberTransport.layerRest({ baseUrl: task.baseUrl }),
            CredentialProvider.layerConfig(Config.succeed(Redacted.make(task.token))),
            Layer.succeed(AuthNotifier, { notify: () => Effect.void })
          )
        ),
        Layer.provide([NodeHttpClient.layer, NodeContext.layer])
      )
    ),
    Effect.catchAll((error) =>
      Effect.sync(() => tell({ type: "failed", error: error._tag, message: error.message, afterMillis: 0 }))
    ),
    Effect.withClock(offsetClock),
    Effect.runPromise
  )
  .then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error)
      process.exit(70)
    }
  )
