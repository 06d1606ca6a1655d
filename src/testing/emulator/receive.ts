/**
 * Receives requests, with the faults that were injected.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Reading } from "./count.js"
import { restAnswer } from "./answers.js"
import type { Call } from "./authenticate.js"
import { authenticate, hexOfNumber } from "./authenticate.js"
import { Fault } from "./faults.js"
import { echo } from "./methods.js"
import type { Request } from "./requests.js"
import { lastSegments, soapRequest } from "./requests.js"
import { IP_HEADER, UNKNOWN_IP } from "./rules.js"
import { isSoapPath, soapAnswer } from "./soap.js"
import type { Answer, Delivery, Incoming, State } from "./state.js"

export const emulatorNow = (state: State): Effect.Effect<number> =>
  Effect.map(Clock.currentTimeMillis, (now) => now + state.offsetMillis)

const luck: Effect.Effect<string> = Effect.map(
  Effect.all([Random.nextIntBetween(0, 0x1000000), Random.nextIntBetween(0, 0x1000000)]),
  ([a, b]) => hexOfNumber(a, 6) + hexOfNumber(b, 6)
)

const ipOf = (state: State, incoming: Incoming): string =>
  incoming.headers[IP_HEADER] ??
  incoming.ip ??
  Option.getOrUndefined(state.ip) ??
  incoming.remoteAddress ??
  UNKNOWN_IP

const deliveryOf = (fault: Fault, answer: Answer): Delivery => {
  switch (fault._tag) {
    case "DropAnswer":
      return { _tag: "Reset" }
    case "StallAnswer":
      return { _tag: "Stalled" }
    case "CutBody":
      return { _tag: "Cut", answer }
    default:
      return { _tag: "Answered", answer }
  }
}

const durationOf = (fault: Fault, tag: "DelayRequest" | "DelayAnswer"): Duration.Duration =>
  fault._tag === tag ? fault.duration : Duration.zero

/**
 * Runs `work` after the delay, in the emulator's scope: the work goes on even if the caller stops waiting. `None`: the
 * emulator was closed before.
 */
const later = <A>(
  work: Effect.Effect<A>,
  delay: Duration.Duration,
  scope: Scope.Scope
): Effect.Effect<Effect.Effect<Option.Option<A>>> =>
  Effect.gen(function* () {
    const done = yield* Deferred.make<Option.Option<A>>()
    yield* Effect.sleep(delay).pipe(
      Effect.interruptible,
      Effect.zipRight(work),
      Effect.flatMap((result) => Deferred.succeed(done, Option.some(result))),
      Effect.onInterrupt(() => Deferred.succeed(done, Option.none())),
      Effect.forkIn(scope)
    )
    return Deferred.await(done)
  })

/** Takes the next fault of the queue for a request, and processes the request under that fault. */
export const receiveWith = (
  state: State,
  reading: Reading,
  scope: Scope.Scope,
  incoming: Incoming
): Effect.Effect<Delivery> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const isSoap = isSoapPath(incoming.path)
      const request: Request = isSoap
        ? soapRequest(incoming, reading.soap)
        : { method: lastSegments(incoming.path).last, incoming, isMalformed: false }
      const isAuthenticate = request.method === "Authenticate"
      const fault =
        (isAuthenticate ? state.authenticateFaults.shift() : state.methodFaults.shift()) ?? Fault.Pass
      if (fault._tag === "Refuse") return { _tag: "Refused" }
      state.requestsSeen += 1
      if (fault._tag === "DropRequest") return { _tag: "Reset" }
      if (fault._tag === "StallRequest") return { _tag: "Stalled" }

      const ip = ipOf(state, incoming)
      const processing = Effect.gen(function* () {
        const call: Call = { ...request, ip, nowMillis: yield* emulatorNow(state), luck: yield* luck }
        const reply = isAuthenticate ? authenticate(state, reading, call, fault) : echo(state, call, fault)
        return isSoap ? soapAnswer(reply, reading.soap) : restAnswer(reply)
      })
      const requestDelay = Duration.sum(state.requestDelay, durationOf(fault, "DelayRequest"))
      const answerDelay = Duration.sum(state.answerDelay, durationOf(fault, "DelayAnswer"))

      const processed = Duration.greaterThan(requestDelay, Duration.zero)
        ? yield* restore(yield* later(processing, requestDelay, scope))
        : Option.some(yield* processing)
      if (Option.isNone(processed)) return { _tag: "Reset" }
      if (Duration.greaterThan(answerDelay, Duration.zero)) yield* restore(Effect.sleep(answerDelay))
      return deliveryOf(fault, processed.value)
    })
  )
