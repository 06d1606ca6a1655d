import { FileSystem, HttpClientRequest } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Console, Context, Effect, Layer } from "effect"
import { NumberAuth } from "effect-number-auth"
import { Emulated, neverLocksOut, NumberAuthTest, NumberEmulator } from "effect-number-auth/testing"

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

// Without a backend: a session is held, or the account was aborted, or attempts have the outcomes that you give.
const aborted = program.pipe(
  Effect.flip,
  Effect.tap((error) => Console.log(error.message)), // Account EP0000001 was aborted. Number refused the token: …
  Effect.provide(NumberAuthTest.layer({ state: "aborted" }))
)

// Over the emulator. Assertions can read its log and its counts.
const renewed = Effect.gen(function* () {
  const emulator = yield* NumberEmulator.NumberEmulator
  yield* program
  yield* emulator.expireSessions()
  yield* program // 5030: renewed, and replayed once
  yield* Console.log(`${(yield* emulator.log).length} attempts, the greatest count ${yield* emulator.peak}`)
}).pipe(Effect.provide(Emulated.layer()))

// Through faults, crashes, restarts and time. Fails with a LockoutFound, whose message is a report.
const safe = neverLocksOut(program, { runs: 20, processes: 3 }).pipe(
  Effect.tap((verdict) =>
    Console.log(`${verdict.runs} schedules, ${verdict.attempts} attempts, the greatest count ${verdict.peak}`)
  ),
  // To look at it: npx number-auth inspect --trace lockout.jsonl
  Effect.tapErrorTag("LockoutFound", ({ trace }) =>
    Effect.flatMap(FileSystem.FileSystem, (files) => files.writeFileString("lockout.jsonl", trace))
  )
)

await Effect.runPromise(Effect.all([aborted, renewed, safe]).pipe(Effect.provide(NodeContext.layer)))
