/**
 * Commands for `fc.asyncModelRun`. They run the real `NumberAuth` on the emulator, beside a small model of what a user
 * sees. Combine them with commands of your own: their model and real system extend these.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import { FingerprintCost } from "../services/session/internal/fingerprint.js"
import { NumberAuth } from "../services/session/NumberAuth.js"
import * as Emulated from "./Emulated.js"
import { Fault, NumberEmulator } from "./NumberEmulator.js"
import * as VirtualClock from "./VirtualClock.js"

/**
 * The model of one account, as a user sees it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Model {
  /** `none`: there is no session, and a call may ask for one. */
  session: "none" | "held" | "aborted" | "locked"
  /** Unsuccessful attempts in a row. */
  count: number
  readonly limit: number
  /** Whether Number knows the token that is supplied. */
  isTokenGood: boolean
  /** Whether the abort is about the token itself. Then `resume` does not help. */
  isTokenRefused: boolean
  /** The number of tokens made so far. */
  tokens: number
}

/**
 * The real system that the commands run on. Each run has its own virtual time and services.
 *
 * @since 0.1.0
 * @category models
 */
export interface Real {
  readonly auth: NumberAuth["Type"]
  readonly emulator: NumberEmulator["Type"]
  /** All of {@link Emulated.layer}, for services of your own. */
  readonly context: Context.Context<NumberAuth | Emulated.Services>
  /**
   * Runs an effect while `millis` of virtual time pass (default 60,000). Throws if the effect does not end in that
   * time.
   */
  readonly run: <A, E>(effect: Effect.Effect<A, E>, millis?: number) => Promise<Exit.Exit<A, E>>
}

/**
 * A command over {@link Model} and {@link Real}.
 *
 * @since 0.1.0
 * @category models
 */
export type Command = FastCheck.AsyncCommand<Model, Real>

const tokenOf = (number: number): string => `7E577E57${number.toString(16).toUpperCase().padStart(24, "0")}`
const account = "EP0000001"

/**
 * Builds the initial model and the real system of a run, for `fc.asyncModelRun`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const setup = (
  options: Omit<Emulated.Options, "account" | "token"> = {}
): { readonly model: Model; readonly real: Real } => {
  const clock = VirtualClock.make()
  const layer = Layer.orDie(Emulated.layer({ ...options, account, token: tokenOf(0) })).pipe(
    Layer.provide(Layer.succeed(FingerprintCost, 1))
  )
  const context = clock.run(Layer.buildWithScope(layer, clock.run(Scope.make())))
  return {
    model: {
      session: "none",
      count: 0,
      limit: options.auth?.limit ?? 5,
      isTokenGood: true,
      isTokenRefused: false,
      tokens: 1
    },
    real: {
      auth: Context.get(context, NumberAuth),
      emulator: Context.get(context, NumberEmulator),
      context,
      run: async (effect, millis = 60_000) => {
        const fiber = clock.fork(effect)
        await clock.advanceAsync(millis)
        const exit = fiber.unsafePoll()
        if (exit === null) throw new Error(`The effect did not end within ${millis} ms of virtual time.`)
        return exit
      }
    }
  }
}

const endOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.match(exit, {
    onSuccess: () => "ok",
    onFailure: (cause) => {
      const error = Option.getOrNull(Cause.failureOption(cause))
      return Predicate.hasProperty(error, "_tag") ? String(error._tag) : "defect"
    }
  })

const agree = (what: string, real: unknown, model: unknown): void => {
  if (real !== model)
    throw new Error(`${what}: the model expects ${String(model)}, and it is ${String(real)}`)
}

/** Compares the library's status with the model, and the backend's highest count with the limit. */
const compare = async (model: Model, { auth, emulator, run }: Real): Promise<void> => {
  const status = Exit.getOrElse(await run(auth.status, 0), () => null)
  const state = status?.state ?? "no status"
  const isAsModelled =
    model.session === "held"
      ? state === "authenticated"
      : model.session === "none"
        ? /\.idle$/.test(state)
        : state === model.session
  if (!isAsModelled) agree("state", state, model.session)
  agree("count", status?.failures, model.count)
  const peak = Exit.getOrElse(await run(emulator.peak, 0), () => Infinity)
  if (peak > model.limit) throw new Error(`The backend counted ${peak}, past the limit of ${model.limit}`)
}

const command = (
  name: string,
  check: (model: Readonly<Model>) => boolean,
  act: (model: Model, real: Real) => Promise<void>
): Command => ({
  check,
  run: async (model, real) => {
    await act(model, real)
    await compare(model, real)
  },
  toString: () => name
})

const afterFailure = (model: Model, isTokenRefused: boolean): string => {
  model.count += 1
  model.isTokenRefused = isTokenRefused
  // At the limit the failure locks the account. Below the limit it aborts the account.
  model.session = model.count >= model.limit ? "locked" : "aborted"
  return model.session === "locked" ? "AuthLocked" : "AuthAborted"
}

/** Asks for a session, and checks the outcome. */
const askForSession = command(
  "askForSession",
  () => true,
  async (model, { auth, run }) => {
    const expected = (): string => {
      switch (model.session) {
        case "held":
          return "ok"
        case "aborted":
          return "AuthAborted"
        case "locked":
          return "AuthLocked"
        case "none":
          if (!model.isTokenGood) return afterFailure(model, true)
          model.session = "held"
          model.count = 0
          return "ok"
      }
    }
    const end = expected()
    agree("askForSession", endOf(await run(auth.sessionKey)), end)
  }
)

/** Asks for a session while the next attempt meets a fault. */
const askWithFault = (fault: Fault): Command =>
  command(
    `askWithFault ${fault._tag}`,
    (model) => model.session === "none",
    async (model, { auth, emulator, run }) => {
      await run(emulator.inject(fault), 0)
      const end = fault._tag === "Refuse" ? "AuthUnreachable" : afterFailure(model, false)
      agree("askWithFault", endOf(await run(auth.sessionKey)), end)
      // Lets the drain end: until then a success would not clear the mark.
      await run(Effect.void, 600_000)
    }
  )

const sendRequest = command(
  "sendRequest",
  (model) => model.session === "held",
  async (model, { auth, emulator, run }) => {
    const before = Exit.getOrElse(await run(emulator.executions, 0), () => []).length
    const end = endOf(await run(auth.httpClient.post("/Echo")))
    const after = Exit.getOrElse(await run(emulator.executions, 0), () => []).length
    agree("sendRequest", end, "ok")
    agree("how often it was carried out", after - before, 1)
    model.session = "held"
  }
)

const passTheSessionsLife = command(
  "passTheSessionsLife",
  (model) => model.session === "held",
  async (model, { run }) => {
    await run(Effect.void, 26 * 3_600_000)
    model.session = "none"
  }
)

const replaceToken = (isGood: boolean): Command =>
  command(
    isGood ? "replaceToken by a good one" : "replaceToken by a bad one",
    (model) => model.session === "none" || model.session === "aborted",
    async (model, { auth, emulator, run }) => {
      const text = tokenOf(model.tokens)
      model.tokens += 1
      if (isGood) await run(emulator.addToken(account, text), 0)
      agree("replaceToken", endOf(await run(auth.replaceCredentials(text))), "ok")
      model.isTokenGood = isGood
      model.session = "none"
    }
  )

const resume = command(
  "resume",
  () => true,
  async (model, { auth, run }) => {
    const may = model.session === "aborted" && !model.isTokenRefused
    agree("resume", endOf(await run(auth.resume)), may ? "ok" : "AuthRejected")
    if (may) model.session = "none"
  }
)

const liftLock = command(
  "liftLock",
  (model) => model.session === "locked",
  async (model, { auth, emulator, run }) => {
    await run(emulator.liftLock("127.0.0.1"), 600_000)
    agree("liftLock", endOf(await run(auth.confirmLockLifted)), "ok")
    model.session = "none"
    model.count = 0
  }
)

/**
 * The commands, each as an arbitrary, for `fc.commands`: ask for a session, with and without a fault on the way; send a
 * request; let the session's life pass; replace the token; resume; have a lock lifted.
 *
 * @since 0.1.0
 * @category commands
 */
export const all: ReadonlyArray<FastCheck.Arbitrary<Command>> = [
  FastCheck.constant(askForSession),
  FastCheck.constantFrom(
    Fault.Refuse,
    Fault.DropRequest,
    Fault.StallRequest,
    Fault.FunctionNotOk(1234, "out of order"),
    Fault.Status(500, "Bad Request")
  ).map(askWithFault),
  FastCheck.constant(sendRequest),
  FastCheck.constant(passTheSessionsLife),
  FastCheck.boolean().map(replaceToken),
  FastCheck.constant(resume),
  FastCheck.constant(liftLock)
]
