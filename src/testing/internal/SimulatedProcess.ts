/**
 * A process of the real services under gates, at a simulated location.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { AccountCode, Token } from "../../schemas/Credentials.js"
import { type AuthNotice, AuthNotifier } from "../../services/session/AuthNotifier.js"
import { AuthObserver, type Observer } from "../../services/session/AuthObserver.js"
import { CredentialProvider } from "../../services/session/CredentialProvider.js"
import { FingerprintCost } from "../../services/session/internal/fingerprint.js"
import * as NumberAuth from "../../services/session/NumberAuth.js"
import { AuthStore } from "../../services/store/AuthStore.js"
import * as NumberTransport from "../../services/wire/NumberTransport.js"
import * as SoapTransport from "../../services/wire/SoapTransport.js"
import type { Client } from "../NaiveClient.js"
import type { ProcessGates } from "../ProcessGates.js"
import type { SimulatedLocation } from "./SimulatedLocation.js"

/** The services below `NumberAuth`. */
export type Services =
  HttpClient.HttpClient | AuthStore | AuthNotifier | CredentialProvider | NumberTransport.NumberTransport

export interface Options {
  readonly location: SimulatedLocation
  readonly gates: ProcessGates
  readonly network: HttpClient.HttpClient
  readonly wire: "REST" | "SOAP"
  /** Default: Number's production. The emulator answers at every address. */
  readonly baseUrl?: string | undefined
  /** Default: no notification. */
  readonly notify?: ((notice: AuthNotice) => Effect.Effect<void>) | undefined
  readonly observer?: Observer | undefined
}

const providerOf = ({ gates, location }: Options): CredentialProvider["Type"] => {
  const { accounts, tokens } = location
  const indexOf = (account: AccountCode): number => accounts.findIndex((code) => code === account)
  return {
    get: (account) =>
      gates.whileAlive(Effect.sync(() => Redacted.make(tokens.supplied(indexOf(account))) as Token)),
    put: (account, token) =>
      gates.whileAlive(Effect.sync(() => tokens.supply(indexOf(account), Redacted.value(token))))
  }
}

const transportOf = ({ baseUrl, wire }: Options) =>
  wire === "SOAP"
    ? SoapTransport.layer(baseUrl === undefined ? {} : { endpoint: `${baseUrl}/CardProcAPI.svc` })
    : NumberTransport.layerRest(baseUrl === undefined ? {} : { baseUrl })

/** The services of a process. Every request to store and network passes its gates. A dead process gives no notice. */
export const servicesOf = (options: Options): Context.Context<Services> => {
  const { gates, location, network, notify = () => Effect.void } = options
  const below = Context.empty().pipe(
    Context.add(HttpClient.HttpClient, gates.httpClient(network)),
    Context.add(AuthStore, gates.store(location.store)),
    Context.add(AuthObserver, options.observer ?? null),
    // The cheapest fingerprint is enough: there are thousands of tokens, and no attacker.
    Context.add(FingerprintCost, 1),
    Context.add(AuthNotifier, { notify: (notice) => gates.whileAlive(notify(notice)) }),
    Context.add(CredentialProvider, providerOf(options))
  )
  const transport = transportOf(options).pipe(Layer.orDie, Layer.provide(Layer.succeedContext(below)))
  return Context.merge(below, location.clock.run(buildForEver(transport)))
}

/** Builds a layer in a scope that is never closed: a crash runs no finalizers. */
export const buildForEver = <A>(layer: Layer.Layer<A>): Effect.Effect<Context.Context<A>> =>
  Effect.flatMap(Scope.make(), (scope) => Layer.buildWithScope(layer, scope))

/** What callers and operators of a process do. */
export interface ProcessClient extends Client {
  readonly replaceCredentials: (token: string) => Effect.Effect<unknown, unknown>
}

/** The session of one account in a process. */
export const clientOf = (
  { clock }: SimulatedLocation,
  services: Context.Context<Services>,
  options: NumberAuth.Options
): ProcessClient => {
  const layer = Layer.provide(Layer.orDie(NumberAuth.layer(options)), Layer.succeedContext(services))
  const auth = Context.get(clock.run(buildForEver(layer)), NumberAuth.NumberAuth)
  const call = HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({}))
  return {
    sessionKey: auth.sessionKey,
    send: auth.httpClient.execute(call),
    resume: auth.resume,
    confirmLockLifted: auth.confirmLockLifted,
    replaceCredentials: auth.replaceCredentials
  }
}
