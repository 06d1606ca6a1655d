/**
 * The live page of a running program, and the values that a test reads from it.
 */
import * as Http from "node:http"
import type * as Net from "node:net"
import { HttpClient } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, Ref } from "effect"
import type { Page } from "playwright-core"
import * as InspectServer from "../../src/inspect/InspectServer.js"
import * as Recorder from "../../src/inspect/Recorder.js"
import type { AccountCode, Location } from "../../src/schemas/Credentials.js"
import { AuthObserver } from "../../src/services/session/AuthObserver.js"
import { SessionRefused } from "../../src/services/session/SessionRefusal.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { record } from "./records.js"
import { badToken, ip, makeWorld, start, type World } from "./stack.js"

/** Serves the live page of a recorder, for as long as the scope is open. Gives its URL. */
export const serve = (recorder: Recorder.Recorder["Type"], port = 0) =>
  Effect.gen(function* () {
    const server = Http.createServer()
    yield* Layer.build(
      InspectServer.layer().pipe(
        Layer.provide(NodeHttpServer.layerServer(() => server, { port, host: "127.0.0.1" })),
        Layer.provide(Layer.succeed(Recorder.Recorder, recorder))
      )
    )
    return `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}/`
  })

/** A program that is inspected while it runs. The backend's answers wait while `answers` is closed. */
export const program = Effect.gen(function* () {
  const recorder = yield* Recorder.make({ title: "a program" })
  const world = yield* makeWorld()
  const answers = yield* Effect.makeLatch(true)
  const client = HttpClient.tap(Emulator.httpClient(world.emulator, ip), () => answers.await)
  const auth = yield* start(world, { location: "shop" }, client).pipe(
    Effect.provideService(AuthObserver, recorder.record)
  )
  return { recorder, world, auth, answers }
})

/** Number refuses the session with a code, and has ended all sessions. */
export const endSession = (
  world: World,
  auth: Effect.Effect.Success<ReturnType<typeof start>>,
  code: 5030 | 5050
) =>
  Effect.exit(auth.withSession(() => Effect.fail(new SessionRefused({ code })))).pipe(
    Effect.zipRight(world.emulator.expireSessions())
  )

/** An action on the page, or a value that is read from it. */
export const on = <A>(act: () => Promise<A>): Effect.Effect<A> => Effect.promise(act)

/** Waits until the page shows a state. */
export const shows = (page: Page, state: string): Effect.Effect<void> =>
  on(() =>
    page
      .getByTestId("state")
      .filter({ hasText: new RegExp(`^${state}$`) })
      .waitFor()
  )

/** The states that the chart shows as current. */
export const litState = (page: Page): Promise<ReadonlyArray<string>> =>
  page
    .locator('.chart .node[data-lit="current"]')
    .evaluateAll((nodes) => nodes.map(({ id }) => id.replace("state:", "")))

/** The arrows that the chart shows as taken, or as taken last. */
export const litArrows = (page: Page, how: string): Promise<ReadonlyArray<string>> =>
  page
    .locator(`.chart .edge[data-lit="${how}"]`)
    .evaluateAll((nodes) => nodes.map(({ id }) => id.replace("arrow:", "")))

/** How the ledger shows its places, in their order. */
export const placesOf = (page: Page): Promise<ReadonlyArray<string>> =>
  page
    .locator(".place")
    .evaluateAll((places) => places.map(({ className }) => className.replace("place ", "")))

const location = "shop" as Location
const second = "EP0000002" as AccountCode
const settled = { status: "settled", account: second, settledAt: 3, clearedForLocation: false } as const
/** The marks of a locked location. Leases and drains end after all tests. */
export const lockedMarks = (now: number) =>
  [
    { ...settled, attempt: 1, reason: "refused" },
    { status: "lost", attempt: 4, account: second, drainsAtMillis: now + 900_000 },
    {
      status: "inFlight",
      attempt: 6,
      account: "EP0000003" as AccountCode,
      leaseEndsAtMillis: now + 600_000
    }
  ] as const

/** One account in each state that the page shows in its own way. */
export const gallery = Effect.gen(function* () {
  const { auth, recorder, world } = yield* program
  yield* auth.sessionKey
  yield* endSession(world, auth, 5050)
  yield* auth.sessionKey
  yield* Ref.set(world.token, badToken(1))
  yield* endSession(world, auth, 5030)
  const now = yield* recorder.nowMillis
  const also = (given: Parameters<typeof record>[0]) =>
    recorder.record(
      record({
        location,
        atMillis: now - 60_000,
        events: [],
        attempt: null,
        marks: lockedMarks(now),
        lockReported: true,
        ...given
      })
    )
  also({ account: second, sequence: 40, from: "locked", to: "locked" })
  also({
    account: "EP0000003" as AccountCode,
    sequence: 41,
    from: "authenticated",
    to: "authenticated",
    session: {
      generation: 12,
      obtainedAtMillis: now - 20 * 3_600_000,
      expiresAtMillis: now + 5 * 3_600_000
    },
    tokenEndsAtMillis: now + 12 * 86_400_000
  })
  return recorder
})
