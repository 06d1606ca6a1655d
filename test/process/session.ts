/**
 * A session as a program holds it, and one call over it. A worker does this in a process of its own, a test within itself. Needs
 * no vitest.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Abort } from "../../src/schemas/StoredRecord.js"
import { AuthNotifier } from "../../src/services/session/AuthNotifier.js"
import * as CredentialProvider from "../../src/services/session/CredentialProvider.js"
import * as NumberAuth from "../../src/services/session/NumberAuth.js"
import { anyDrainTime } from "../../src/testing/NumberAuthTest.js"
import { cheapFingerprints } from "./store.js"

/** The account, its token, and the settings of its session. */
export interface Session {
  readonly account: string
  readonly token: string
  readonly baseUrl: string
  readonly location: string
  readonly settings: Partial<NumberAuth.Options>
}

/** The result of a call. */
export type Result =
  | { readonly type: "served"; readonly key: string }
  | {
      readonly type: "failed"
      readonly error: string
      readonly message: string
      /** The reason of the abort; null if the account is not aborted. */
      readonly abort: Abort["reason"] | null
      readonly afterMillis: number
    }

type Failure = { readonly _tag: string; readonly message: string; readonly abort?: Abort }

export const failed = ({ _tag, abort, message }: Failure, afterMillis = 0): Result => ({
  type: "failed",
  error: _tag,
  message,
  abort: abort?.reason ?? null,
  afterMillis
})

/** Sends one call, with a session that is obtained for it if there is none. */
export const call: Effect.Effect<Result, never, NumberAuth.NumberAuth> = Effect.gen(function* () {
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
  if (Either.isRight(result)) return { type: "served", key: result.right }
  return failed(result.left, Number((yield* Clock.currentTimeNanos) - beganNanos) / 1e6)
})

/** The session over a store and a transport. */
export const sessionLayer = ({ account, baseUrl, location, settings, token }: Session) =>
  NumberAuth.layer({ account, location, baseUrl, ...settings }).pipe(
    Layer.provide([
      CredentialProvider.layerConfig(Config.succeed(Redacted.make(token))),
      Layer.succeed(AuthNotifier, { notify: () => Effect.void }),
      cheapFingerprints,
      anyDrainTime
    ])
  )
