/** Programs for the kit's property: some leave attempts to the library, some do not. */
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import type { AccountCode } from "../../src/schemas/Credentials.js"
import { CredentialProvider } from "../../src/services/session/CredentialProvider.js"
import * as NumberAuth from "../../src/services/session/NumberAuth.js"

/** A query, as programs make them. */
export const proper = Effect.gen(function* () {
  const auth = yield* NumberAuth.NumberAuth
  const query = HttpClientRequest.post("/Query/AccountProfile")
  return yield* Effect.flatMap(auth.httpClient.execute(query), (response) => response.json)
})

/** A service on top of NumberAuth. */
export class Profile extends Context.Tag("test/Profile")<
  Profile,
  { readonly read: Effect.Effect<unknown, unknown> }
>() {
  static readonly layer = Layer.effect(
    Profile,
    Effect.map(NumberAuth.NumberAuth, (auth) => ({
      read: auth.withSession((key) => Effect.succeed(Redacted.isRedacted(key)))
    }))
  )
}

/** The usual hand-written loop: authenticate, and retry when that fails. */
export const naive = Effect.gen(function* () {
  const http = yield* HttpClient.HttpClient
  const provider = yield* CredentialProvider
  const account = "EP0000001" as AccountCode
  const authenticate = Effect.gen(function* () {
    const token = yield* provider.get(account)
    const response = yield* http.execute(
      HttpClientRequest.post("https://number.test/v1/Authenticate").pipe(
        HttpClientRequest.bodyUnsafeJson({ AcctCode: account, Token: Redacted.value(token) })
      )
    )
    const body = (yield* response.json) as { AuthenticateResult: { AuthSuccess: boolean } }
    return body.AuthenticateResult.AuthSuccess ? yield* Effect.void : yield* Effect.fail("refused")
  }).pipe(Effect.timeout("30 seconds"))
  yield* Effect.retry(
    authenticate,
    Schedule.exponential("1 second").pipe(Schedule.intersect(Schedule.recurs(7)))
  )
})

/** A program that resumes by itself. Only a person should resume. */
export const resuming = Effect.gen(function* () {
  const auth = yield* NumberAuth.NumberAuth
  yield* auth.sessionKey.pipe(
    Effect.tapErrorTag("AuthAborted", () => auth.resume),
    Effect.retry({ times: 3 })
  )
})
