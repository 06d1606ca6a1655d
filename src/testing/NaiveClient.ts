/**
 * A client as people write it. It holds the key, authenticates when there is no key or the key was refused, and tries
 * again when that fails. In the same world as the library it locks the location, which shows that the world is hard
 * enough.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/**
 * The operations of a process for its callers and its operators, by the naive client or by the library.
 *
 * @since 0.1.0
 * @category models
 */
export interface Client {
  readonly sessionKey: Effect.Effect<unknown, unknown>
  /** One call of a method, with the session key. */
  readonly send: Effect.Effect<unknown, unknown>
  readonly resume: Effect.Effect<unknown, unknown>
  readonly confirmLockLifted: Effect.Effect<unknown, unknown>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly http: HttpClient.HttpClient
  readonly baseUrl: string
  readonly account: string
  /** The token to send. */
  readonly token: () => string
}

/**
 * A client that holds no key yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ account, baseUrl, http, token }: Options): Client => {
  let key: string | null = null
  const authenticate = Effect.suspend(() =>
    http.execute(
      HttpClientRequest.post(`${baseUrl}/Authenticate`).pipe(
        HttpClientRequest.bodyUnsafeJson({ AcctCode: account, Token: token() })
      )
    )
  ).pipe(
    Effect.flatMap((response) => response.json),
    Effect.timeout("30 seconds"),
    Effect.flatMap((body) => {
      const result = (body as { AuthenticateResult?: { AuthSuccess?: boolean; SessKey?: string } } | null)
        ?.AuthenticateResult
      return result?.AuthSuccess === true ? Effect.succeed(result.SessKey!) : Effect.fail("refused")
    }),
    Effect.retry(Schedule.exponential("1 second").pipe(Schedule.intersect(Schedule.recurs(7)))),
    Effect.tap((fresh) => {
      key = fresh
    })
  )
  const sessionKey = Effect.suspend(() => (key === null ? authenticate : Effect.succeed(key)))
  return {
    sessionKey,
    send: Effect.flatMap(sessionKey, (held) =>
      http.execute(
        HttpClientRequest.post(`${baseUrl}/Echo`).pipe(
          HttpClientRequest.setHeader("SessKey", held),
          HttpClientRequest.bodyUnsafeJson({})
        )
      )
    ).pipe(
      Effect.flatMap((response) => response.text),
      Effect.flatMap((text) => {
        if (!/50[35]0/.test(text)) return Effect.void
        key = null
        return authenticate
      })
    ),
    resume: Effect.void,
    confirmLockLifted: Effect.void
  }
}
