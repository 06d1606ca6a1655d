import { HttpClientRequest } from "@effect/platform"
import { Console, Context, Effect, Layer } from "effect"
import { NumberAuth } from "effect-number-auth"
import { Emulated, neverLocksOut, NumberEmulator } from "effect-number-auth/testing"

/** A service of yours that depends on NumberAuth. */
class Profiles extends Context.Tag("Profiles")<
  Profiles,
  { readonly read: Effect.Effect<unknown, NumberAuth.SessionHttpError> }
>() {
  static readonly layer = Layer.effect(
    Profiles,
    Effect.map(NumberAuth.NumberAuth, (auth) => ({
      read: Effect.flatMap(
        auth.httpClient.execute(HttpClientRequest.post("/Query/AccountProfile")),
        (response) => response.json
      )
    }))
  )
}

const program = Effect.flatMap(Profiles, (profiles) => profiles.read).pipe(Effect.provide(Profiles.layer))

// Without a backend: a session that is held, or an account that was aborted, or attempts that come to what you say.
const aborted = program.pipe(
  Effect.flip,
  Effect.tap((error) => Console.log(error.message)), // Account EP0000001 was aborted. Number refused the token: …
  Effect.provide(NumberAuth.layerTest({ state: "aborted" }))
)

// Over the emulator, which is there for assertions.
const renewed = Effect.gen(function* () {
  const emulator = yield* NumberEmulator.NumberEmulator
  yield* program
  yield* emulator.expireSessions()
  yield* program // 5030: renewed, and replayed once
  yield* Console.log(`${(yield* emulator.log).length} attempts, the greatest count ${yield* emulator.peak}`)
}).pipe(Effect.provide(Emulated.layer()))

// Through faults, crashes, restarts and time. Fails with a LockoutFound, whose message is a report.
const safe = Effect.tap(neverLocksOut(program, { runs: 20, processes: 3 }), (verdict) =>
  Console.log(`${verdict.runs} schedules, ${verdict.attempts} attempts, the greatest count ${verdict.peak}`)
)

await Effect.runPromise(Effect.all([aborted, renewed, safe]))
