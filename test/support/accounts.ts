/**
 * NumberAccounts on the emulator in memory: each account has a token of its own, and the attempts under way
 * are counted.
 */
import { HttpClient } from "@effect/platform"
import { Cause, Context, Effect, Exit, Layer, Redacted, type Scope } from "effect"
import type { AccountCode, Token } from "../../src/schemas/Credentials.js"
import { AuthNotifier } from "../../src/services/session/AuthNotifier.js"
import { AuthStore, makeMemory } from "../../src/services/store/AuthStore.js"
import { CredentialProvider } from "../../src/services/session/CredentialProvider.js"
import { FingerprintCost } from "../../src/services/session/internal/fingerprint.js"
import * as NumberAccounts from "../../src/services/session/NumberAccounts.js"
import * as NumberTransport from "../../src/services/wire/NumberTransport.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { badToken, baseUrl, ip } from "./stack.js"

/** The n-th account, and its token. */
export const accountOf = (n: number): AccountCode => `EP${String(n).padStart(7, "0")}` as AccountCode
export const tokenOf = (n: number): string => (0xacc0000 + n).toString(16).toUpperCase().padStart(32, "0")

/** So many numbers from 0 on: 0, 1, 2 and so on. */
export const numbers = (size: number): ReadonlyArray<number> => Array.from({ length: size }, (_, n) => n)

/** The number of exits by their end: the tag of the error, or `ok`. */
export const tagsOf = (exits: ReadonlyArray<Exit.Exit<unknown, { readonly _tag: string }>>) => {
  const tags: Record<string, number> = {}
  for (const exit of exits) {
    const tag = Exit.isSuccess(exit)
      ? "ok"
      : Cause.isFailType(exit.cause)
        ? exit.cause.error._tag
        : exit.cause._tag
    tags[tag] = (tags[tag] ?? 0) + 1
  }
  return tags
}

export const makeCrowd = (size: number, options: Emulator.Options = {}) =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.make(options)
    const tokens = new Map<string, string>()
    for (let n = 0; n < size; n++) {
      yield* emulator.addToken(accountOf(n), tokenOf(n))
      tokens.set(accountOf(n), tokenOf(n))
    }
    const seen = { now: 0, most: 0 }
    const client = Emulator.httpClient(
      {
        ...emulator,
        receive: (incoming) =>
          Effect.acquireUseRelease(
            Effect.sync(() => {
              seen.now += 1
              seen.most = Math.max(seen.most, seen.now)
            }),
            () => emulator.receive(incoming),
            () => Effect.sync(() => (seen.now -= 1))
          )
      },
      ip
    )
    return {
      emulator,
      client,
      tokens,
      store: yield* makeMemory,
      /** The attempts that are under way now, and the most that were at once. */
      seen,
      /** Gives an account a token that Number will refuse. */
      spoil: (n: number) => void tokens.set(accountOf(n), badToken(n + 1)),
      /** The accounts in the order of their attempts. */
      order: Effect.map(emulator.log, (calls) => calls.map(({ account }) => account))
    }
  })

export type Crowd = Effect.Effect.Success<ReturnType<typeof makeCrowd>>

/** The services below a process of these accounts. */
export const crowdEnvironment = (
  crowd: Crowd,
  notify: AuthNotifier["Type"]["notify"] = () => Effect.void
) => {
  const http = Layer.succeed(HttpClient.HttpClient, crowd.client)
  return Layer.mergeAll(
    http,
    Layer.succeed(AuthStore, crowd.store),
    Layer.succeed(AuthNotifier, { notify }),
    Layer.succeed(CredentialProvider, {
      get: (account) => Effect.sync(() => Redacted.make(crowd.tokens.get(account)!) as Token),
      put: () => Effect.void
    }),
    Layer.orDie(NumberTransport.layerRest({ baseUrl })).pipe(Layer.provide(http)),
    Layer.succeed(FingerprintCost, 1)
  )
}

/** Starts a process that has all of these accounts. */
export const startCrowd = (
  crowd: Crowd,
  options: NumberAccounts.Options = {},
  notify?: AuthNotifier["Type"]["notify"]
): Effect.Effect<NumberAccounts.NumberAccounts["Type"], never, Scope.Scope> =>
  Layer.build(
    NumberAccounts.layer({ baseUrl, ...options }).pipe(
      Layer.provide(crowdEnvironment(crowd, notify)),
      Layer.orDie
    )
  ).pipe(Effect.map(Context.get(NumberAccounts.NumberAccounts)))
